"""What is written out of the code, and where to."""

from collections.abc import Callable, Mapping
from pathlib import Path

from tests.contracts import asyncapi, page
from tests.contracts.parties import ROOT
from tests.contracts.postman.collection import collection, environment
from tests.contracts.postman.steps import ENVIRONMENT, FOLDERS

POSTMAN = ROOT / "deploy" / "postman"
COLLECTION = POSTMAN / "shopstream.postman_collection.json"

PAGES: Mapping[Path, Callable[[], str]] = {
    ROOT / "docs" / "events.md": page.page,
    ROOT / "docs" / "asyncapi.json": asyncapi.document,
    COLLECTION: lambda: collection(FOLDERS),
    POSTMAN / "local.postman_environment.json": lambda: environment(ENVIRONMENT),
}
