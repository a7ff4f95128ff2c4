"""The catalogue accepts every event version once, on an existing topic."""

from uuid import UUID

import pytest
from uuid_utils.compat import uuid7

from schemas import CATALOGUE, TOPICS, OrderCancelled
from schemas.event import Event, event


def refused(name: str, *, topic: str, key: str) -> None:
    before = dict(CATALOGUE)

    class Sample(Event):
        """For this test."""

        order_id: UUID

    with pytest.raises(ValueError, match=f"{name}|{topic}|{key}"):
        event(name, topic=topic, key=key)(Sample)
    assert before == CATALOGUE


def test_an_event_version_cannot_be_registered_twice() -> None:
    refused("order.placed", topic="order.events", key="order_id")


def test_an_event_on_an_unknown_topic_is_refused() -> None:
    refused("sample.made", topic="sample.events", key="order_id")


def test_an_event_whose_key_is_not_a_field_is_refused() -> None:
    refused("sample.made", topic="order.events", key="sample_id")


def test_a_second_version_is_registered_beside_the_first() -> None:
    class OrderCancelled2(Event):
        """For this test."""

        order_id: UUID

    try:
        event("order.cancelled", topic="order.events", key="order_id", version=2)(OrderCancelled2)
        assert CATALOGUE["order.cancelled", 1] is OrderCancelled
        assert CATALOGUE["order.cancelled", 2] is OrderCancelled2
    finally:
        CATALOGUE.pop(("order.cancelled", 2), None)


def test_every_class_has_its_type_version_and_topic() -> None:
    assert {(cls.type, cls.version): cls for cls in CATALOGUE.values()} == CATALOGUE
    assert {cls.topic for cls in CATALOGUE.values()} == set(TOPICS)
    assert all(cls.type == cls.type.lower() and cls.type.count(".") == 1 for cls in CATALOGUE.values())


def test_the_key_is_the_aggregates_id_as_text() -> None:
    order_id = uuid7()
    assert OrderCancelled(order_id=order_id, customer_id=uuid7(), reason="staff").key == str(order_id)
