"""A mail belongs to the trace of the event that caused it: its sending, its events, and what is logged about it."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from structlog.testing import capture_logs
from uuid_utils.compat import uuid7

from chassis.persistence.postgres.database import Postgres
from chassis.runtime.settings import Settings
from chassis.runtime.telemetry import _with_trace
from chassis.runtime.tracing import exporting_spans
from chassis.testing import enveloped, record
from notifier_svc.mails.domain import mail_id
from schemas import CustomerErased, Envelope, Event, encode
from tests.notifier_svc.apps import Sending
from tests.notifier_svc.factories import cancelled, registered
from tests.notifier_svc.ledger import add_suppression, all_mails, consumer, read_mail, update_mail, wait_for_states
from tests.notifier_svc.smtp_server import Behaviour, smtp_server
from tests.otlp import collector
from tests.outbox import envelopes

TRACE_ID, SPAN_ID = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
GIVEN = f"00-{TRACE_ID}-{SPAN_ID}-01"


async def handle_traced(postgres: Postgres, event: Event, version: int = 1) -> None:
    envelope = Envelope(uuid7(), event.source, datetime.now(UTC), version, event, trace=GIVEN)
    await consumer(postgres).handle([record(encode(envelope))])


async def queue_mail(postgres: Postgres) -> UUID:
    """Queue the mail that an event with a trace causes; return its id."""
    customer_id, order_id = uuid7(), uuid7()
    await consumer(postgres).handle([record(enveloped(registered(customer_id)))])
    await handle_traced(postgres, cancelled(customer_id, order_id))
    return mail_id("cancelled", customer_id, str(order_id))


async def test_what_a_mail_causes_belongs_to_the_trace_of_its_event(postgres: Postgres, sending: Sending) -> None:
    mail = await queue_mail(postgres)
    async with smtp_server() as server, sending(server.url):
        await wait_for_states(postgres, ["sent"])
    assert (await read_mail(postgres, mail)).trace == GIVEN
    assert [one.trace for one in await envelopes(postgres, mail)] == [GIVEN]


async def test_sending_a_mail_is_a_span_of_the_trace_of_its_event(postgres: Postgres, sending: Sending) -> None:
    with collector() as received:
        settings = {"kafka_bootstrap_servers": "nobody:1", "otel_exporter_otlp_endpoint": received.url}
        with exporting_spans("notifier_svc", Settings.model_validate(settings)):
            mail = await queue_mail(postgres)
            async with smtp_server("refuse message permanently") as server, sending(server.url, connections=1):
                await wait_for_states(postgres, ["failed"])
                await handle_traced(postgres, cancelled((await read_mail(postgres, mail)).customer_id, uuid7()))
                await wait_for_states(postgres, ["failed", "sent"])
    spans = {one.span_id: one for one in received.spans}
    sendings = [one for one in received.spans if one.name == "send mail"]
    assert {spans[one.parent].name for one in sendings} == {"process order.events"}
    assert {one.trace_id for one in sendings} == {TRACE_ID}
    [refused] = [one for one in sendings if one.attributes["shop.mail.id"] == str(mail)]
    assert (refused.kind, refused.attributes["shop.mail.template"]) == ("client", "cancelled")
    assert sorted(one.why for one in sendings) == ["", "failed"]
    [failed] = await envelopes(postgres, mail)
    assert failed.trace == f"00-{TRACE_ID}-{refused.span_id}-01"


@pytest.mark.parametrize(
    ("behaviour", "line"),
    [
        ("refuse message permanently", "mail failed"),
        ("no such address", "address suppressed"),
        ("disconnect after the dot", "mail in doubt"),
    ],
)
async def test_what_is_logged_about_a_mail_has_its_trace(
    postgres: Postgres, sending: Sending, behaviour: Behaviour, line: str
) -> None:
    await queue_mail(postgres)
    with capture_logs(processors=[_with_trace]) as logs:
        async with smtp_server(behaviour) as server, sending(server.url):
            await wait_for_states(postgres, ["sent" if line == "mail in doubt" else "failed"])
    assert [one.get("trace_id") for one in logs if one["event"] == line] == [TRACE_ID]


async def test_a_mail_that_is_not_attempted_keeps_its_trace(postgres: Postgres, sending: Sending) -> None:
    await add_suppression(postgres)
    mail = await queue_mail(postgres)
    async with smtp_server() as server, sending(server.url):
        await wait_for_states(postgres, ["suppressed"])
    assert [one.trace for one in await envelopes(postgres, mail)] == [GIVEN]


async def test_the_trace_of_a_mail_whose_process_has_ended_is_logged(postgres: Postgres, sending: Sending) -> None:
    mail = await queue_mail(postgres)
    expired = f"state = 'claimed', claim = '{uuid7()}', lease_until = now() - interval '1 second'"
    await update_mail(postgres, mail, expired)
    with capture_logs(processors=[_with_trace]) as logs:
        async with smtp_server() as server, sending(server.url, lease_seconds=1):
            await wait_for_states(postgres, ["sent"])
    assert [one.get("trace_id") for one in logs if one["event"] == "claim expired"] == [TRACE_ID]


async def test_the_mail_that_confirms_an_erasure_belongs_to_its_trace(postgres: Postgres) -> None:
    customer_id = uuid7()
    await consumer(postgres).handle([record(enveloped(registered(customer_id)))])
    await handle_traced(postgres, CustomerErased.model_validate({"customer_id": customer_id}), 2)
    assert [one.trace for one in await all_mails(postgres) if one.template == "account_erased"] == [GIVEN]
