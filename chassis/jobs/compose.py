"""The job loop of a service's event process."""

from collections.abc import Mapping
from typing import Any

from chassis.jobs.domain import Kind
from chassis.jobs.loop import JobLoop, JobRunner
from chassis.jobs.redrive import RedriveRunner
from chassis.messaging.records import KafkaRecord
from chassis.messaging.redrive import Redrive
from chassis.messaging.topic_reader import open_reader
from chassis.replay.runner import ReplayRunner
from chassis.replay.target import ReplayTarget


def job_loop(target: ReplayTarget[Any], more: Mapping[Kind, JobRunner] | None = None) -> JobLoop:
    """The jobs that every service does for its consumer group, and ``more`` that are the service's own."""

    async def fetch(record: KafkaRecord) -> bytes | None:
        async with open_reader(target.kafka, target.prefix) as reader:
            found = await reader.read_one((record.topic, record.partition), record.offset)
            return found.record.value if found else None

    redrive = Redrive(target.database, target.consumer(), target.new_uow, fetch)
    return JobLoop(
        target.database, {"replay": ReplayRunner(target), "redrive": RedriveRunner(redrive), **(more or {})}
    )
