"""Requests of ops to one service: dead letters, redrives, replays, rebuilds, and what ops did."""

from collections.abc import Mapping, Sequence
from typing import Any

from tests.contracts.postman.step import Step

UNKNOWN = "019b7c61-0000-7000-8000-00009395c3f3"
"""An id that nothing has."""
WHY = {"why": "to see how it works"}
WITH_REPLICAS = ("order", "notifier")


def operating(service: str) -> Sequence[Step]:
    """The requests, of which none changes anything but the list of actions."""
    rebuilds = _rebuilds(service) if service in WITH_REPLICAS else ()
    recorded = _found("List what ops did", "actions", "'replay.plan'")
    return (*_letters(), *_redrives(), *rebuilds, *_replays(service), recorded)


def _found(name: str, what: str, action: str = "") -> Step:
    holds = {"the plan is recorded": f"body.items.some((one) => one.action === {action})"} if action else {}
    return Step(name, f"GET /v1/ops/{what}", 200, "ops", query="limit=5", holds=holds)


def _key(name: str) -> Mapping[str, str]:
    return {"Idempotency-Key": f"{{{{run}}}}-{name}"}


def _letters() -> Sequence[Step]:
    actions: Mapping[str, Any] = {"reveal": WHY, "edit": WHY | {"value": "{}"}, "discard": WHY}
    unknown = {"event_id": UNKNOWN}
    holds = {"there is none": "body.code === 'letter_not_found'"}
    return (
        _found("List the dead letters", "letters"),
        Step("Group the dead letters", "GET /v1/ops/letters/groups", 200, "ops", query="by=type"),
        Step("Read an unknown letter", "GET /v1/ops/letters/{event_id}", 404, "ops", variables=unknown, holds=holds),
        *(
            Step(
                f"{name.capitalize()} an unknown letter",
                f"POST /v1/ops/letters/{{event_id}}/{name}",
                404,
                "ops",
                body,
                variables=unknown,
                headers=_key(name),
                holds=holds,
            )
            for name, body in actions.items()
        ),
    )


def _redrives() -> Sequence[Step]:
    return (
        Step(
            "Redrive letters where there are none",
            "POST /v1/ops/redrives",
            422,
            "ops",
            WHY | {"key": UNKNOWN},
            headers=_key("redrive"),
            holds={"there is none": "body.code === 'nothing_selected'"},
        ),
        _found("List the redrives", "redrives"),
        _unknown_job("Read an unknown redrive", "redrives"),
    )


def _unknown_job(name: str, what: str) -> Step:
    holds = {"there is none": "body.code === 'job_not_found'"}
    return Step(name, f"GET /v1/ops/{what}/{{job_id}}", 404, "ops", variables={"job_id": UNKNOWN}, holds=holds)


def _replays(service: str) -> Sequence[Step]:
    """A replay of the events of a key that no event has."""
    read, change = "GET /v1/ops/replays/{job_id}", "PATCH /v1/ops/replays/{job_id}"
    return (
        Step(
            "Plan a replay",
            "POST /v1/ops/replays",
            202,
            "ops",
            WHY | {"key": UNKNOWN, "mails": "withhold"},
            headers=_key("plan"),
            keeps={"job_id": "body.id"},
        ),
        Step(f"Await the plan of {service}_svc", read, 200, "ops", until="body.state === 'planned'"),
        Step("Run the replay", change, 200, "ops", WHY | {"state": "running"}, headers=_key("run")),
        Step(
            f"Await the replay of {service}_svc",
            read,
            200,
            "ops",
            until="body.state === 'done'",
            holds={"nothing was to bring": "body.counts.to_bring === 0", "it did what was planned": "body.equal"},
        ),
        Step(
            "Cancel a replay that is done",
            change,
            409,
            "ops",
            WHY | {"state": "cancelled"},
            headers=_key("cancel"),
            holds={"it cannot be changed": "body.code === 'job_state_conflict'"},
        ),
        _found("List the replays", "replays"),
        _unknown_job("Read an unknown replay", "replays"),
    )


def _rebuilds(service: str) -> Sequence[Step]:
    """A rebuild of a customer whom nobody knows: nothing differs."""
    read = "GET /v1/ops/rebuilds/{job_id}"

    def change(name: str, step: str, status: int, holds: Mapping[str, str]) -> Step:
        route = f"POST /v1/ops/rebuilds/{{job_id}}/{step}"
        return Step(name, route, status, "ops", WHY, headers=_key(f"rebuild-{step}"), holds=holds)

    def done(what: str, stage: str) -> Step:
        until = f"body.state === 'done' && body.stage === '{stage}'"
        return Step(f"Await the {what} of {service}_svc", read, 200, "ops", until=until)

    return (
        Step(
            "Rebuild a replica",
            "POST /v1/ops/rebuilds",
            202,
            "ops",
            WHY | {"replica": "customers", "key": UNKNOWN},
            headers=_key("rebuild"),
            keeps={"job_id": "body.id"},
        ),
        done("rebuild", "compared"),
        Step(
            "Read what differs",
            "GET /v1/ops/rebuilds/{job_id}/difference",
            200,
            "ops",
            holds={"nothing does": "body.differs.length === 0"},
        ),
        change("Swap it", "swap", 202, {"it will be swapped": "body.replica === 'customers'"}),
        done("swap", "swapped"),
        change("Undo the swap", "undo", 202, {"it will be undone": "body.replica === 'customers'"}),
        done("undo", "undone"),
        change("Cancel it, too late", "cancel", 409, {"it is over": "body.code === 'job_state_conflict'"}),
        _found("List the rebuilds", "rebuilds"),
        _unknown_job("Read an unknown rebuild", "rebuilds"),
    )
