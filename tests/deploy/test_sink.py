"""The mail sink stores everything, counts copies, and shows messages without any danger."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

import aiosmtplib
import httpx
import pytest

from deploy.local.sink.content import content_of
from deploy.local.sink.envelope import summarise, trace
from deploy.local.sink.page import make_app
from deploy.local.sink.smtp import SmtpSession
from deploy.local.sink.store import Store

NOW = datetime(2026, 1, 2, tzinfo=UTC)
SCRIPT = "<script>alert(1)</script>"


def mail(message_id: str = "<1@shop>", subject: str = "Hello", html: str = "<b>Hi</b>") -> bytes:
    message = EmailMessage()
    message["Message-ID"], message["Subject"] = message_id, subject
    message["From"], message["To"] = "shop@example.com", "ada@example.com"
    message.set_content("Hi\n.a dot leads this line\n")
    message.add_alternative(html, subtype="html")
    message.set_boundary("the-boundary")
    return message.as_bytes().replace(b"\n", b"\r\n")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "mail")


@pytest.fixture
async def web(store: Store) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(make_app(store))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        yield client


async def add(store: Store, content: bytes, *to: str) -> str:
    return (await store.add("shop@example.com", list(to) or ["ada@example.com"], content)).summary.id


async def test_a_message_is_stored_byte_for_byte(store: Store) -> None:
    message = await add(store, mail())
    assert store.raw(message) == mail()


async def test_a_client_that_disconnects_does_not_delay_others(store: Store) -> None:
    disconnected = asyncio.create_task(add(store, mail("<1@shop>")))
    await asyncio.sleep(0)
    disconnected.cancel()
    await add(store, mail("<2@shop>"))
    assert [entry.summary.message_id for entry in store.entries] == ["<1@shop>", "<2@shop>"]


async def test_the_same_message_again_is_one_message_with_two_copies(store: Store) -> None:
    assert await add(store, mail()) == await add(store, mail())
    assert [entry.copies for entry in store.entries] == [2]
    assert len(list(store.directory.glob("*.eml"))) == 2


async def test_the_same_message_to_another_recipient_is_another_message(store: Store) -> None:
    await add(store, mail(), "ada@example.com")
    await add(store, mail(), "bob@example.com")
    assert [entry.copies for entry in store.entries] == [1, 1]


async def test_the_order_of_recipients_does_not_matter(store: Store) -> None:
    await add(store, mail(), "ada@example.com", "bob@example.com")
    await add(store, mail(), "bob@example.com", "ada@example.com")
    assert [entry.copies for entry in store.entries] == [2]


async def test_messages_without_an_id_are_never_copies(store: Store) -> None:
    await add(store, b"Subject: x\r\n\r\ny\r\n")
    await add(store, b"Subject: x\r\n\r\ny\r\n")
    assert [entry.copies for entry in store.entries] == [1, 1]


async def test_a_restart_finds_every_message_and_its_copies(store: Store) -> None:
    await asyncio.gather(*(add(store, mail(f"<{number % 40}@shop>")) for number in range(100)))
    (store.directory / "00000000000000000001.part").write_bytes(b"never acknowledged")
    again = Store(store.directory)
    assert [(entry.summary, entry.copies) for entry in again.entries] == [
        (entry.summary, entry.copies) for entry in store.entries
    ]
    assert sum(entry.copies for entry in again.entries) == 100
    assert not list(store.directory.glob("*.part"))


async def test_ids_grow_over_a_restart_even_when_the_clock_is_set_back(store: Store) -> None:
    in_many_years = "08999999999999999999"
    (store.directory / f"{in_many_years}.eml").write_bytes(trace("a@example.com", ["b@example.com"], NOW) + mail())
    assert await add(Store(store.directory), mail("<2@shop>")) > in_many_years


@pytest.mark.parametrize(
    ("raw", "subject"),
    [
        (b"Subject: =?utf-8?q?f=C3=BCr_dich?=\r\n", "für dich"),
        (b"subject: folded\r\n over two lines\r\n", "folded over two lines"),
        (b"Subject: =?no-such-charset?q?x?=\r\n", "=?no-such-charset?q?x?="),
        ("Subject: für dich\r\n".encode(), "für dich"),
        (b"Subject: \xff\xfe\r\n", "\ufffd\ufffd"),
        (b"X: y\r\n\r\nSubject: not a header\r\n", ""),
        (b"", ""),
    ],
)
def test_subjects_of_all_kinds_are_listed(raw: bytes, subject: str) -> None:
    assert summarise("1", trace("a@example.com", ["b@example.com"], NOW) + raw + b"\r\n").subject == subject


def test_a_message_cannot_forge_its_recipients() -> None:
    forged = trace("evil@example.com", ["everybody@example.com"], NOW)
    summary = summarise("1", trace("a@example.com", ["b@example.com"], NOW) + forged + b"\r\n")
    assert summary.recipients == ("b@example.com",)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"no header at all",
        b"Content-Type: text/plain; charset=no-such\r\n\r\nx",
        b"Content-Type: multipart/mixed\r\n\r\nno boundary",
        b"Content-Transfer-Encoding: base64\r\n\r\n!!!",
        b"To: <\r\nFrom: @@@,;:\r\nMessage-ID: <<>>\r\nDate: never\r\n\r\nx",
        b"Content-Type: text/html; charset=utf-16\r\n\r\nx",
    ],
)
def test_a_malformed_message_is_shown_as_well_as_possible(raw: bytes) -> None:
    assert content_of(raw) is not None


async def test_the_list_has_everything_that_a_script_needs(store: Store, web: httpx.AsyncClient) -> None:
    message = await add(store, mail())
    (listed,) = (await web.get("/api/messages", params={"to": "ADA@example.com"})).json()
    assert listed.pop("received_at").endswith("+00:00")
    assert listed == {
        "id": message,
        "message_id": "<1@shop>",
        "to": ["ada@example.com"],
        "from": "shop@example.com",
        "subject": "Hello",
        "copies": 1,
    }


async def test_the_list_continues_after_an_id(store: Store, web: httpx.AsyncClient) -> None:
    ids = [await add(store, mail(f"<{number}@shop>")) for number in range(3)]
    listed = (await web.get("/api/messages", params={"after": ids[0]})).json()
    assert [message["id"] for message in listed] == ids[1:]
    assert (await web.get("/api/messages", params={"to": "bob@example.com"})).json() == []


async def test_a_message_is_returned_in_its_parts(store: Store, web: httpx.AsyncClient) -> None:
    message = (await web.get(f"/api/messages/{await add(store, mail())}")).json()
    assert message["headers"]["Message-ID"] == "<1@shop>"
    assert message["text"].splitlines() == ["Hi", ".a dot leads this line"]
    assert message["html"].strip() == "<b>Hi</b>"


async def test_mail_is_found_and_read_as_with_mailpit(store: Store, web: httpx.AsyncClient) -> None:
    older, newer = [await add(store, mail(f"<{number}@shop>")) for number in range(2)]
    found = (await web.get("/api/v1/search", params={"query": "to:ada@example.com"})).json()["messages"]
    assert [one["ID"] for one in found] == [newer, older]
    assert (found[0]["Subject"], found[0]["To"]) == ("Hello", [{"Name": "", "Address": "ada@example.com"}])
    assert (await web.get("/api/v1/search", params={"query": "to:bob@example.com"})).json() == {"messages": []}
    assert (await web.get("/api/v1/search", params={"query": "subject:Hello"})).status_code == 422
    message = (await web.get(f"/api/v1/message/{newer}")).json()
    assert message["Text"].splitlines() == ["Hi", ".a dot leads this line"]
    assert message["HTML"].strip() == "<b>Hi</b>"


async def test_raw_is_the_message_as_it_arrived(store: Store, web: httpx.AsyncClient) -> None:
    response = await web.get(f"/api/messages/{await add(store, mail(html=SCRIPT))}/raw")
    assert response.content == mail(html=SCRIPT)
    assert response.headers["content-type"].startswith("text/plain")
    assert response.headers["x-content-type-options"] == "nosniff"


async def test_no_part_of_a_message_is_markup_on_our_pages(store: Store, web: httpx.AsyncClient) -> None:
    malicious = mail(f'<1@"{SCRIPT}">', f'{SCRIPT}" onload=x', SCRIPT).replace(
        b"Hi\r\n", SCRIPT.encode() + b"\r\n", 1
    )
    message = await add(store, malicious, f'"{SCRIPT}"@example.com')
    for path in ("/", "/list", f"/messages/{message}", f"/?to={SCRIPT}", f"/list?to={SCRIPT}"):
        page = await web.get(path)
        assert page.status_code == 200
        assert "<script" not in page.text
        assert "default-src 'none'" in page.headers["content-security-policy"]
        assert "script-src" not in page.headers["content-security-policy"]


async def test_the_page_finds_a_part_of_an_address(store: Store, web: httpx.AsyncClient) -> None:
    await add(store, mail(), "ada@example.com")
    await add(store, mail("<2@shop>"), "grace@example.net")
    for typed, found in (("", 2), (" ADA ", 1), ("example", 2), ("ada@example.com", 1), ("nobody", 0)):
        page = (await web.get("/list", params={"to": typed})).text
        assert page.count("/messages/") == found, typed
        assert len((await web.get("/api/messages", params={"to": "ada"})).json()) == 0, "scripts name one mailbox"


async def test_what_is_typed_stays_while_the_list_is_kept_up_to_date(web: httpx.AsyncClient) -> None:
    page = (await web.get("/", params={"to": "a&b"})).text
    assert "http-equiv" not in page, "only the frame reloads itself"
    assert 'value="a&amp;b"' in page
    assert 'src="/list?to=a%26b"' in page
    for query in ("", "?to=ada"):
        assert 'http-equiv="refresh"' in (await web.get(f"/list{query}")).text


async def test_a_messages_html_can_do_nothing_but_be_shown(store: Store, web: httpx.AsyncClient) -> None:
    message = await add(store, mail(html=SCRIPT))
    policy = (await web.get(f"/messages/{message}/html")).headers["content-security-policy"]
    assert policy.startswith("sandbox; default-src 'none';")
    assert "<iframe sandbox " in (await web.get(f"/messages/{message}")).text


async def test_mail_to_an_unknown_mailbox_is_refused_and_the_other_recipients_get_it(store: Store) -> None:
    server = await asyncio.get_running_loop().create_server(lambda: SmtpSession(store), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, aiosmtplib.SMTP(hostname="127.0.0.1", port=port) as smtp:
        refused, _ = await smtp.sendmail(
            "shop@example.com", ["No-Such-Mailbox-1@example.com", "ada@example.com"], mail()
        )
        with pytest.raises(aiosmtplib.SMTPRecipientsRefused):
            await smtp.sendmail("shop@example.com", ["no-such-mailbox@example.com"], mail("<2@shop>"))
    assert {name: (response.code, response.message) for name, response in refused.items()} == {
        "No-Such-Mailbox-1@example.com": (550, "5.1.1 no such mailbox")
    }
    assert [(entry.summary.recipients, entry.summary.message_id) for entry in store.entries] == [
        (("ada@example.com",), "<1@shop>")
    ]


async def test_another_site_cannot_read_the_mail_by_dns_rebinding(web: httpx.AsyncClient) -> None:
    assert (await web.get("/api/messages", headers={"Host": "evil.example"})).status_code == 400


@pytest.mark.parametrize("path", ["/messages/{}", "/messages/{}/html", "/api/messages/{}", "/api/messages/{}/raw"])
@pytest.mark.parametrize("message", ["1", "..%2f..%2fsecrets", "%00"])
async def test_an_unknown_message_is_404(web: httpx.AsyncClient, path: str, message: str) -> None:
    assert (await web.get(path.format(message))).status_code == 404
