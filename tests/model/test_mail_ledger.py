"""The mail ledger, whatever happens to the processes that send its mails."""

from tests.model.explore import explore
from tests.model.senders import Senders


def test_a_mail_is_sent_once_or_twice_after_a_doubt() -> None:
    explore(Senders, 120)
