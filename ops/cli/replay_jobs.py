"""How ``shop replay`` has replays planned and run, and waits for them."""

import asyncio
from typing import Any, NoReturn

import typer

from ops.cli import show
from ops.cli.command import Connection
from ops.errors import CannotDo
from ops.jobs import FoundJob, follow
from ops.rest import Refused

REPLAYS = "/v1/ops/replays"


async def planned(shop: Connection, service: str, request: dict[str, Any], why: str, request_id: str) -> FoundJob:
    """Have a plan made, and wait for it."""
    body = {name: value for name, value in request.items() if value is not None} | {"why": why}
    document = await shop.rest.post(service, REPLAYS, body, key=request_id)
    job = await followed(shop, FoundJob(service, REPLAYS, document))
    if job.document["counts"] is None:
        raise_ended(job)
    return job


async def followed(shop: Connection, job: FoundJob) -> FoundJob:
    """Wait for the end of a plan or a run, with a progress bar."""
    with show.bar(f"{job.document['state']} {job.document['group']}") as bar:
        try:
            return await follow(shop.rest, job, lambda document: bar(*_progress(document)))
        except asyncio.CancelledError:
            typer.echo(f"the replay goes on: shop replay show {job.id}", err=True)
            raise


def _progress(document: dict[str, Any]) -> tuple[int, int]:
    if document["state"] == "planning":
        return document["read"], document["total"]
    done = document["done"]
    return done["brought"] + done["failed"], document["counts"]["to_bring"]


async def change(shop: Connection, job: FoundJob, body: dict[str, Any], why: str, request_id: str) -> FoundJob:
    """Change a replay; members of ``body`` that are None are left out."""
    given = {name: value for name, value in body.items() if value is not None} | {"why": why}
    try:
        document = await shop.rest.patch(job.service, job.url, given, key=request_id)
    except Refused as error:
        if error.code != "mails_undecided":
            raise
        new = error.problem.get("new")
        raise CannotDo(f"{job.service}: it would send {new} mails: say --mails send or --mails withhold") from error
    return FoundJob(job.service, REPLAYS, document)


def raise_ended(job: FoundJob) -> NoReturn:
    """Say that a replay has come to an end that was not asked for."""
    error = job.document["error"]
    raise CannotDo(f"{job.service}: {job.id} is {job.document['state']}" + (f": {error}" if error else ""))
