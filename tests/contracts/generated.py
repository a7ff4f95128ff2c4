"""The files that are generated from the code."""

from collections.abc import Callable, Mapping
from pathlib import Path

from tests.contracts import asyncapi, events_page, layers, reference, saga_page
from tests.contracts.event_flow import ROOT
from tests.contracts.postman import steps, stuck
from tests.contracts.postman.collection import collection, environment

DOCS = ROOT / "docs"
POSTMAN = ROOT / "deploy" / "postman"
COLLECTION = POSTMAN / "shopstream.postman_collection.json"
STUCK = POSTMAN / "stuck.postman_collection.json"

PAGES: Mapping[Path, Callable[[], str]] = {
    DOCS / "events.md": events_page.page,
    DOCS / "asyncapi.json": asyncapi.document,
    DOCS / "reference" / "settings.md": reference.settings_page,
    DOCS / "reference" / "error-codes.md": reference.errors_page,
    DOCS / "reference" / "metrics.md": reference.metrics_page,
    DOCS / "reference" / "audit.md": reference.audit_page,
    layers.PAGE: layers.page,
    saga_page.PAGE: saga_page.page,
    COLLECTION: lambda: collection("Shopstream", steps.ABOUT, steps.FOLDERS),
    STUCK: lambda: collection("Shopstream, while product_svc does not reply", stuck.ABOUT, stuck.FOLDERS),
    POSTMAN / "local.postman_environment.json": lambda: environment(steps.ENVIRONMENT),
}
