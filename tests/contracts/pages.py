"""What is written out of the code, and where to."""

from collections.abc import Callable, Mapping
from pathlib import Path

from tests.contracts import asyncapi, page
from tests.contracts.parties import ROOT

PAGES: Mapping[Path, Callable[[], str]] = {
    ROOT / "docs" / "events.md": page.page,
    ROOT / "docs" / "asyncapi.json": asyncapi.document,
}
