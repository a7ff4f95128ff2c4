"""The table in docs/concepts/saga.md, printed from the rules of the saga."""

from order_svc.saga.domain import saga_table
from tests.contracts.event_flow import ROOT

PAGE = ROOT / "docs" / "concepts" / "saga.md"
BEGIN, END = "<!-- saga-table:begin -->\n", "<!-- saga-table:end -->"


def page() -> str:
    """The page as it is, with the table between its marks."""
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    return f"{before}{BEGIN}{saga_table().rstrip()}\n{END}{rest.partition(END)[2]}"
