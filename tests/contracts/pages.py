"""What is written out of the code, and where to."""

from collections.abc import Callable, Mapping
from pathlib import Path

from tests.contracts import asyncapi, page
from tests.contracts.parties import ROOT
from tests.contracts.postman import steps, stuck
from tests.contracts.postman.collection import collection, environment

POSTMAN = ROOT / "deploy" / "postman"
COLLECTION = POSTMAN / "shopstream.postman_collection.json"
STUCK = POSTMAN / "stuck.postman_collection.json"

PAGES: Mapping[Path, Callable[[], str]] = {
    ROOT / "docs" / "events.md": page.page,
    ROOT / "docs" / "asyncapi.json": asyncapi.document,
    COLLECTION: lambda: collection("Shopstream", steps.ABOUT, steps.FOLDERS),
    STUCK: lambda: collection("Shopstream, while nobody answers about stock", stuck.ABOUT, stuck.FOLDERS),
    POSTMAN / "local.postman_environment.json": lambda: environment(steps.ENVIRONMENT),
}
