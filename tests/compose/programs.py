"""What ``python -m MODULE`` runs: its file, its settings, and which of our modules it imports."""

import ast
import importlib
import importlib.util
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from pydantic_settings import BaseSettings

from tests.compose.deployment import ROOT

READ_BY_PYTHON = {"TMPDIR"}


def source_of(module: str) -> Path | None:
    """The file that ``python -m MODULE`` runs, if there is one."""
    try:
        spec = importlib.util.find_spec(module)
        if spec and spec.submodule_search_locations is not None:
            spec = importlib.util.find_spec(f"{module}.__main__")
    except ModuleNotFoundError:
        return None
    return Path(spec.origin) if spec and spec.origin else None


@cache
def settings_of(module: str) -> type[BaseSettings] | None:
    """The class of the program's settings. Found by parsing the module: to import some of them would run them."""
    path = source_of(module)
    assert path
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "load":
            assert isinstance(node.args[0], ast.Name)
            return _resolve(tree, node.args[0].id, module if path.name != "__main__.py" else f"{module}.__main__")
    return None


def _resolve(tree: ast.Module, name: str, module: str) -> type[BaseSettings]:
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and name in {alias.name for alias in node.names}:
            module = str(node.module)
    found: type[BaseSettings] = getattr(importlib.import_module(module), name)
    assert issubclass(found, BaseSettings)
    return found


@cache
def options_of(module: str) -> set[str]:
    """The environment variables that a program without settings reads, for its options and directly."""
    path = source_of(module)
    assert path
    calls = [
        node
        for file in first_party(path)
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Call)
    ]
    options = [word.value for call in calls for word in call.keywords if word.arg == "envvar"]
    read = [call.args[0] for call in calls if ast.unparse(call.func) in ("os.environ.get", "_secret")]
    return {str(name.value) for name in (*options, *read) if isinstance(name, ast.Constant)} | READ_BY_PYTHON


@cache
def first_party(path: Path) -> frozenset[Path]:
    """Every file of this repository that running this one imports, itself included."""
    found, waiting = set(), {path}
    while waiting:
        found.add(file := waiting.pop())
        for node in ast.walk(ast.parse(file.read_text())):
            names: list[str] = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [str(node.module), *(f"{node.module}.{alias.name}" for alias in node.names)]
            waiting |= {imported for name in names for imported in _files(name)} - found
    return frozenset(found)


def _files(module: str) -> Iterator[Path]:
    path = ROOT.joinpath(*module.split("."))
    candidates = [path.with_suffix(".py"), path / "__init__.py"]
    yield from (file for file in candidates if file.is_file() and ".venv" not in file.parts)
