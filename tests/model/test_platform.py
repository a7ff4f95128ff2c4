"""The services do what the specification says about orders, stock and mails."""

from tests.model.deliveries import Deliveries
from tests.model.explore import explore
from tests.model.platform import Platform


def test_the_platform_matches_the_specification() -> None:
    explore(Platform, 60)


def test_parcels_match_the_specification() -> None:
    explore(Deliveries, 40)
