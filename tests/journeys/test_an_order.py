"""An order placed over REST ends with a mail in a mailbox, through all four services."""

from tests.journeys.timelines import timeline_with_mail
from tests.stack import ABOUT_ORDERS, CUSTOMER_PASSWORD, Stack, eventually


async def test_an_order_with_enough_stock_ends_with_a_receipt(shop: Stack) -> None:
    email, customer = await shop.customer()
    sku = await shop.product(on_hand=10)
    placed = await shop.order(customer, {sku: 2}, key="k1")
    assert (placed.status_code, placed.json()["state"]) == (202, "PENDING")
    assert placed.json()["total"] == {"amount": 2500, "currency": "EUR"}

    timeline = await timeline_with_mail(shop, placed.headers["location"], customer)
    assert timeline["state"] == "CONFIRMED"
    happened = [entry["type"] for entry in timeline["entries"]]
    assert happened == ["order.placed", "stock.reserved", "order.confirmed", "notification.mail_sent"]
    assert [entry["at"] for entry in timeline["entries"]] == sorted(entry["at"] for entry in timeline["entries"])
    assert await shop.stock(sku) == (10, 2)
    (mail,) = await shop.mails(email, ABOUT_ORDERS)
    assert mail["subject"].endswith("is confirmed")
    assert mail["copies"] == 1

    await shop.customer()  # another customer, who must not be in the export
    export = await shop.read("customer", "/v1/customers/me/export", customer)
    order = await shop.read("order", placed.headers["location"], customer)
    assert export["account"]["email"] == email
    assert export["orders"] == [order | {"timeline": timeline["entries"]}]
    receipts = [one for one in export["notifications"] if one["order_id"] == order["id"]]
    assert [(one["template"], one["state"], one["subject"]) for one in receipts] == [
        ("receipt", "sent", mail["subject"])
    ]
    assert {one["customer_id"] for one in export["notifications"]} == {export["account"]["id"]}


async def test_an_order_with_too_little_stock_ends_with_a_mail_about_the_shortage(shop: Stack) -> None:
    email, customer = await shop.customer()
    sku = await shop.product(on_hand=1)
    placed = await shop.order(customer, {sku: 2})
    timeline = await timeline_with_mail(shop, placed.headers["location"], customer)
    assert timeline["state"] == "REJECTED"
    assert await shop.stock(sku) == (1, 0)
    (mail,) = await shop.mails(email, ABOUT_ORDERS)
    assert f"({sku}): 2 ordered, 1 in stock" in await shop.text(mail)


async def test_a_cancelled_order_releases_its_stock(shop: Stack) -> None:
    email, customer = await shop.customer()
    sku = await shop.product(on_hand=5)
    location = (await shop.order(customer, {sku: 5})).headers["location"]
    await timeline_with_mail(shop, location, customer)
    cancelled = await shop.http.post(f"{shop.urls['order']}{location}/cancel", headers=customer)
    assert (cancelled.status_code, cancelled.json()["state"]) == (200, "CANCELLED")

    async def released() -> bool:
        return await shop.stock(sku) == (5, 0) and len(await shop.mails(email, ABOUT_ORDERS)) == 2

    await eventually(released, 20, "the stock to be released and the mail to be sent")


async def test_a_repeated_request_places_one_order(shop: Stack) -> None:
    _, customer = await shop.customer()
    sku = await shop.product(on_hand=5)
    first, again = [await shop.order(customer, {sku: 1}, key="same") for _ in range(2)]
    assert again.content == first.content
    assert again.headers["idempotency-replayed"] == "true"
    assert len((await shop.read("order", "/v1/orders", customer))["items"]) == 1


async def test_a_new_customer_confirms_the_address_with_the_mailed_link(shop: Stack) -> None:
    email = await shop.register()

    async def welcomed() -> list[dict]:  # type: ignore[type-arg]
        return await shop.mails(email, "Welcome")

    (mail,) = await eventually(welcomed, 30, "the welcome")
    token = (await shop.text(mail)).partition("/verify-email#")[2].split()[0]
    confirmed = await shop.http.post(f"{shop.urls['customer']}/v1/email-verifications", json={"token": token})
    assert confirmed.status_code == 204, confirmed.text
    customer = await shop.log_in(email, CUSTOMER_PASSWORD)
    assert (await shop.read("customer", "/v1/customers/me", customer))["verified"]
