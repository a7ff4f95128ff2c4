"""Erased customers, whatever happens at the same time."""

from tests.model.erasures import ErasurePlatform, ErasureSenders
from tests.model.explore import explore


def test_the_data_of_erased_customers_are_removed() -> None:
    explore(ErasurePlatform, 40)


def test_a_mail_in_progress_keeps_no_data_of_an_erased_customer() -> None:
    explore(ErasureSenders, 80)
