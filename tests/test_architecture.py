"""The rules of the code's structure: who imports whom, and the floor plan that all services share.

CONTRIBUTING.md explains the floor plan. It is demanded here as a whole, not as a subset: a module that is not in it
needs a place here, with its reason.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from importlinter.cli import EXIT_STATUS_SUCCESS, lint_imports

ROOT = Path(__file__).parents[1]
NOUNS = {
    "customer_svc": {
        *("accounts", "registration", "sessions", "passwords", "profiles", "links", "throttling", "exports"),
        *("erasure", "email_changes", "staff", "tokens", "totp", "audit_log"),
    },
    "product_svc": {
        *("catalogue", "categories", "search", "stock", "reservations", "imports", "idempotency", "erasure"),
    },
    "order_svc": {
        *("orders", "amendments", "fulfilment", "parcels", "returns", "saga", "timeline", "replicas", "usage"),
        "erasure",
    },
    "notifier_svc": {"mails", "delivery", "rendering", "suppressions", "replicas", "erasure"},
}
SERVICES = sorted(NOUNS)
ROOT_MODULES = {
    *("__init__", "main", "worker", "container", "settings", "errors", "handlers", "unit_of_work"),
}
EVERY_NOUN = {"__init__", "api", "dto", "commands", "queries", "domain", "store"}
"""The modules that any noun may have."""
OWN_MODULES = {
    "customer_svc.accounts": {"password_check", "response_timing", "traces"},
    "customer_svc.audit_log": {"recording", "writer"},
    "customer_svc.links": {"link_check"},
    "customer_svc.passwords": {"hasher"},
    "customer_svc.staff": {"bootstrap"},
    "customer_svc.throttling": {"throttle"},
    "customer_svc.tokens": {"verifier"},
    "product_svc.catalogue": {"search_fields", "words"},
    "product_svc.categories": {"attribute_dto", "attribute_schema", "patterns", "schema_dto"},
    "product_svc.search": {
        "bounded",
        "counts",
        "cursor",
        "filters",
        "indexes",
        "pages",
        "reads",
        "suggestions",
        "texts",
    },
    "product_svc.reservations": {"shipments", "traces"},
    "product_svc.imports": {"lines", "export"},
    "order_svc.orders": {
        *("lines", "obstacles", "parts", "part_dto", "pieces", "rows", "examples", "prefer_wait", "product_fallback"),
    },
    "order_svc.saga": {"actions", "gauges", "periodic"},
    "order_svc.timeline": {"feed", "exports", "traces"},
    "notifier_svc.mails": {"metrics", "triggers", "traces"},
    "notifier_svc.delivery": {
        *("claims", "gauges", "outcomes", "pending_work", "periodic", "sender", "server_status", "smtp"),
        "smtp_replies",
        "transmission",
    },
    "notifier_svc.rendering": {"addresses", "carriers", "links", "locales", "mime", "previews", "templates"},
    "notifier_svc.replicas": {"staff"},
}
"""What a noun has beside those, because it has something of its own."""
OWN_FOLDERS = {"customer_svc": {"pages"}}
"""Folders at the root of a service that are no nouns, beside ``migrations`` and ``clients``."""
MOST_LINES = 300


def python_files(*folders: str) -> Iterator[Path]:
    for folder in folders:
        yield from (path for path in (ROOT / folder).rglob("*.py") if "migrations" not in path.parts)


def test_imports_point_one_way() -> None:
    assert lint_imports(config_filename=str(ROOT / "pyproject.toml"), no_cache=True) == EXIT_STATUS_SUCCESS


@pytest.mark.parametrize("service", SERVICES)
def test_the_root_of_a_service_has_the_modules_of_the_floor_plan_and_no_others(service: str) -> None:
    assert {path.stem for path in (ROOT / service).glob("*.py")} == ROOT_MODULES
    assert (ROOT / service / "migrations" / "__main__.py").exists()


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_has_its_nouns_and_no_other_folders(service: str) -> None:
    folders = {path.parent.name for path in (ROOT / service).glob("*/__init__.py")}
    assert folders - {"migrations", "clients"} - OWN_FOLDERS.get(service, set()) == NOUNS[service]


@pytest.mark.parametrize("service", SERVICES)
def test_a_noun_has_the_modules_of_the_floor_plan_and_its_own(service: str) -> None:
    for noun in NOUNS[service]:
        modules = {path.stem for path in (ROOT / service / noun).glob("*.py")}
        own = OWN_MODULES.get(f"{service}.{noun}", set())
        assert modules <= EVERY_NOUN | own, noun
        assert own <= modules, f"{noun}: a module in this test's list does not exist"


def test_services_with_the_same_thing_use_the_same_noun() -> None:
    assert {name for name, nouns in NOUNS.items() if "replicas" in nouns} == {"order_svc", "notifier_svc"}


def test_every_domain_module_is_in_the_purity_contract() -> None:
    config = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    for path in python_files(*SERVICES):
        if path.stem == "domain":
            assert f'"{".".join(path.relative_to(ROOT).with_suffix("").parts)}"' in config, path


def test_files_are_small() -> None:
    long = {
        str(path.relative_to(ROOT)): lines
        for path in python_files(*SERVICES, "chassis", "schemas", "ops", "deploy")
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > MOST_LINES
    }
    assert long == {}


@pytest.mark.parametrize("service", SERVICES)
def test_a_command_says_what_it_reads_and_what_it_does(service: str) -> None:
    for path in python_files(service):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                methods = {one.name for one in node.body if isinstance(one, ast.FunctionDef)}
                assert ("prefetch" in methods) == ("execute" in methods) or node.bases, f"{path}: {node.name}"


def test_test_modules_import_no_other_test_module() -> None:
    pattern = re.compile(r"^from (tests\.[\w.]*\btest_\w+) import", re.M)
    for path in python_files("tests"):
        assert not pattern.search(path.read_text(encoding="utf-8")), path
