"""An order that is amended, shipped in two parts, delivered, and partly returned, on the running platform.

The customer, who reads German, gets a mail about each of these, and staff get one when the stock is low.
"""

from typing import Any

from deploy.system import STAFF_MAIL
from tests.stack import STAFF, Stack, eventually

PARCEL = {"carrier": "DHL", "tracking_number": "00340434161094042557"}
OTHER_PARCEL = {"carrier": "UPS", "tracking_number": "1Z999AA10123456784"}


async def test_an_order_is_amended_shipped_in_parts_delivered_and_returned(shop: Stack) -> None:
    mug, cup = await shop.product(on_hand=10), await shop.product(on_hand=10, price=1990)
    (email, who), staff = await shop.customer(locale="de"), await shop.log_in(*STAFF)
    threshold = f"{shop.urls['product']}/v1/stock/{cup}/threshold"
    low = await shop.http.put(threshold, json={"threshold": 8}, headers={**staff, "If-Match": "*"})
    assert low.status_code == 200, low.text
    order_id = (await shop.order(who, {mug: 4})).json()["id"]
    path = f"/v1/orders/{order_id}"

    async def until(**fields: Any) -> dict[str, Any]:
        async def as_expected() -> dict[str, Any] | None:
            order = await shop.read("order", path, who)
            return order if fields.items() <= order.items() else None

        found: dict[str, Any] = await eventually(as_expected, 30, f"the order to be {fields}")
        return found

    async def act(order: dict[str, Any], step: str, body: Any, headers: dict[str, str] = staff) -> dict[str, Any]:
        sent = {**headers, "If-Match": f'"{order["version"]}"'}
        method, place = ("PATCH", path) if step == "amend" else ("POST", f"{path}/{step}")
        response = await shop.http.request(method, shop.urls["order"] + place, json=body, headers=sent)
        assert response.status_code in (200, 201, 202), response.text
        after: dict[str, Any] = response.json()
        return after

    async def stock(mugs: tuple[int, int], cups: tuple[int, int]) -> None:
        async def as_expected() -> bool:
            return [await shop.stock(mug), await shop.stock(cup)] == [mugs, cups]

        await eventually(as_expected, 30, f"the stock to be {mugs} and {cups}")

    order = await until(state="CONFIRMED")
    await act(order, "amend", {"lines": [{"sku": mug, "quantity": 2}, {"sku": cup, "quantity": 3}]}, who)
    order = await until(state="CONFIRMED", revision=2, amendment=None)
    await stock((10, 2), (10, 3))

    order = await act(order, "shipments", {**PARCEL, "lines": [{"sku": mug, "quantity": 2}]})
    await stock((8, 0), (10, 3))
    order = await act(order, "shipments", OTHER_PARCEL)
    await stock((8, 0), (7, 0))
    order = await act(order, "deliver", None)
    order = await act(order, "returns", {"lines": [{"sku": cup, "quantity": 1}], "reason": "Broken on arrival."})
    await stock((8, 0), (8, 0))
    assert (order["state"], len(order["shipments"]), order["returns"][0]["refund"]["amount"]) == (
        "DELIVERED",
        2,
        1990,
    )

    async def complete() -> bool:
        entries = (await shop.read("order", f"{path}/timeline", who))["entries"]
        found = [f"{entry['type']} {entry['detail'].get('template', '')}".strip() for entry in entries]
        return sorted(found) == sorted(TIMELINE)

    await eventually(complete, 30, "the timeline to be complete")
    mails = await shop.mails(email, "Bestellung")
    assert {mail["copies"] for mail in mails} == {1}
    number = order_id[-12:]
    # Mails are sent over several connections, so their order is not fixed.
    assert sorted(mail["subject"] for mail in mails) == sorted(subject.format(number) for subject in SUBJECTS)
    texts = {mail["subject"]: await shop.text(mail) for mail in mails}
    receipt, amended, *_, returned = (texts[subject.format(number)] for subject in SUBJECTS)
    assert f"4 x Mug ({mug}), 12,50\N{NO-BREAK SPACE}€ pro Stück: 50,00\N{NO-BREAK SPACE}€" in receipt
    assert f"3 x Mug ({cup}), 19,90\N{NO-BREAK SPACE}€ pro Stück: 59,70\N{NO-BREAK SPACE}€" in amended
    assert "Gesamtsumme: 84,70\N{NO-BREAK SPACE}€" in amended
    assert f"1 x Mug ({cup})" in returned
    parcels = [await shop.text(mail) for mail in mails if "versandt" in mail["subject"]]
    for parcel, included, excluded in ((PARCEL, mug, cup), (OTHER_PARCEL, cup, mug)):
        (text,) = (text for text in parcels if f"Sendungsnummer: {parcel['tracking_number']}" in text)
        assert (parcel["carrier"] in text, included in text, excluded in text) == (True, True, False)

    async def warned() -> list[dict[str, Any]]:
        return await shop.mails(STAFF_MAIL, cup)

    (warning,) = await eventually(warned, 30, "the staff to be warned")
    assert (warning["copies"], warning["subject"]) == (1, f"{cup} is running low")
    assert "Available: 7" in await shop.text(warning)


SUBJECTS = (
    "Ihre Bestellung {} ist bestätigt",
    "Ihre Bestellung {} wurde geändert",
    "Ein Teil Ihrer Bestellung {} wurde versandt",
    "Ihre Bestellung {} wurde versandt",
    "Ihre Bestellung {} wurde zugestellt",
    "Ihre Rücksendung zur Bestellung {} ist eingetroffen",
)
TIMELINE = [
    *("order.placed", "stock.reserved", "order.confirmed"),
    *("order.amended", "stock.reserved", "order.amendment_accepted", "stock.released"),
    *("order.shipped", "stock.committed", "order.shipped", "stock.committed", "order.delivered"),
    *("order.returned", "stock.returned"),
    *("notification.mail_sent receipt", "notification.mail_sent order_amended", "notification.mail_sent shipped"),
    *("notification.mail_sent shipped", "notification.mail_sent delivered", "notification.mail_sent return_received"),
]
