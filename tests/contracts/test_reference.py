"""What the reference pages need of the code; ``test_events`` fails when a page is stale."""

import pytest
from pydantic_settings import BaseSettings

from chassis.http.errors import ShopError
from tests.contracts.layers import layers
from tests.contracts.reference import PROCESSES, SHARED, UNITS, errors, metrics

SETTINGS = sorted(
    {cls for processes in PROCESSES.values() for cls in processes}, key=lambda cls: (cls.__module__, cls.__name__)
)
PACKAGES = (SHARED, *PROCESSES)
PORTS = {"port", "metrics_port"}


@pytest.mark.parametrize("cls", SETTINGS, ids=lambda cls: f"{cls.__module__}.{cls.__name__}")
def test_every_setting_says_what_it_means(cls: type[BaseSettings]) -> None:
    assert [name for name, field in cls.model_fields.items() if not field.description] == []


@pytest.mark.parametrize("cls", SETTINGS, ids=lambda cls: f"{cls.__module__}.{cls.__name__}")
def test_every_quantity_has_its_unit_in_its_name(cls: type[BaseSettings]) -> None:
    quantities = {name for name, field in cls.model_fields.items() if field.annotation in (int, float)} - PORTS
    assert {name for name in quantities if not UNITS.keys() & set(name.split("_"))} == set()


@pytest.mark.parametrize("package", PACKAGES)
def test_every_error_has_a_code_of_its_own_and_a_meaning(package: str) -> None:
    own = errors(package)
    assert len({cls.code for cls in own}) == len(own)
    assert [cls.code for cls in own if not cls.__doc__] == []


def test_errors_of_tests_are_on_no_page() -> None:
    class Invented(ShopError):
        """Of this test alone."""

    assert Invented not in [cls for package in PACKAGES for cls in errors(package)]


@pytest.mark.parametrize("package", PACKAGES)
def test_every_metric_says_what_it_counts(package: str) -> None:
    families = [family for metric in metrics(package) for family in metric.describe()]
    assert all(family.name.startswith("shop_") and family.documentation for family in families)
    assert len({family.name for family in families}) == len(families)


def test_layers_of_a_service_are_read_from_either_form_of_its_contract() -> None:
    whole = {"type": "layers", "layers": ["order_svc.saga | order_svc.timeline", "order_svc.orders"]}
    contained = {"type": "layers", "containers": ["order_svc"], "layers": ["saga | timeline", "(orders)"]}
    other = {"type": "layers", "layers": ["order_svc", "chassis"]}
    for contract in (whole, contained):
        assert layers("order_svc", [other, contract]) == [["saga", "timeline"], ["orders"]]
    assert layers("product_svc", [whole, contained, other]) == []
