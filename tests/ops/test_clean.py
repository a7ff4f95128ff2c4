"""A shop in which everything went well, whatever happened: the audit finds nothing."""

from tests.ops.world import World


async def test_orders_of_every_outcome_add_up(world: World) -> None:
    sku, scarce = await world.product(10), await world.product(1)
    await world.resent(world.mail("receipt", await world.confirmed(sku)))
    await world.confirmed(scarce)
    ended = await world.confirmed(sku)
    await world.cancelled(ended)
    fulfilled = await world.confirmed(sku)
    await world.amended(fulfilled, {sku: 4})
    await world.fulfilled(fulfilled, {sku: 1})
    await world.shipped_in_part(await world.confirmed(sku), {sku: 1})
    await world.refused(await world.confirmed(await world.product()))
    rare = await world.product()
    await world.returned(await world.confirmed(rare), rare)
    early = await world.placed({sku: 1})
    await world.cancelled(early)
    await world.flow()
    report = await world.audit()
    assert report.findings == []
    assert report.ok
    # One mail per order, six each for those that were fulfilled and returned, three each for those that were shipped
    # in part and refused, one more for the one that was confirmed before it was cancelled, one resent, a welcome.
    expected = {"orders": 8, "orders_confirmed": 1, "orders_rejected": 1, "orders_cancelled": 2, "mails": 25}
    assert report.counts | expected == report.counts
