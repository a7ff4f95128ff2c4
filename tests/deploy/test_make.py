"""``make`` finds a Python, or reports in one line what is missing."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]


def sh(script: str, *arguments: str, path: str | None = None) -> "subprocess.CompletedProcess[str]":
    env = {**os.environ, **({"PATH": path} if path is not None else {})}
    command = ["/bin/sh", str(REPOSITORY / "deploy" / "local" / script), *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=env, cwd=REPOSITORY)


def fake_python(directory: Path, script: str) -> Path:
    directory.mkdir(exist_ok=True)
    python = directory / "python3"
    python.write_text(f"#!/bin/sh\n{script}\n")
    python.chmod(0o755)
    return python


def test_make_alone_lists_the_targets() -> None:
    # Without the variables of an outer ``make test``, which would add lines to the output.
    env = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    shown = subprocess.run(["make"], capture_output=True, text=True, cwd=REPOSITORY, env=env).stdout
    assert [line.split()[1] for line in shown.splitlines()] == [
        "help",
        "run",
        "test",
        "compose-check",
        "faults",
        "bench",
        "audit",
        "shop",
        "lint",
        "format",
        "sbom",
        "audit-dependencies",
        "clean",
        "venv",
    ]


def test_a_python_that_is_too_old_is_skipped(tmp_path: Path) -> None:
    fake_python(tmp_path / "old", "exit 1")
    new = tmp_path / "new" / "python3.12"
    fake_python(tmp_path / "new", "exit 1").rename(new)
    new.write_text("#!/bin/sh\nexit 0\n")
    assert sh("python.sh", path=f"{tmp_path}/old:{tmp_path}/new").stdout.strip() == str(new)


def test_a_missing_python_is_reported_in_one_line(tmp_path: Path) -> None:
    found = sh("python.sh", path=str(tmp_path))
    assert found.returncode == 1
    assert found.stderr.startswith("✗ no Python 3.11 or newer on PATH: install one, or name it")
    assert len(found.stderr.splitlines()) == 1


@pytest.mark.parametrize("name", ["/no/such/python", "false"])
def test_a_requested_python_that_cannot_be_used_is_reported(name: str) -> None:
    assert sh("python.sh", name).stderr == f"✗ PYTHON={name} is not a Python 3.11 or newer\n"


def test_a_python_without_venv_is_reported_in_one_line(tmp_path: Path) -> None:
    python = fake_python(tmp_path, 'case "$*" in *ensurepip*) exit 1;; *) exit 0;; esac')
    result = sh("venv.sh", str(tmp_path / "venv"), "deploy/requirements/dev.lock", str(python))
    assert result.returncode == 1
    assert result.stderr.endswith("on Debian and Ubuntu, apt install python3-venv\n")
    assert len(result.stderr.splitlines()) == 1
    assert not (tmp_path / "venv").exists()


FAKE_PYTHON = """
case "$*" in
    "-m venv --clear "*) rm -rf "$4"; mkdir -p "$4/bin"; cp "$0" "$4/bin/python" ;;
    *"-m uv pip install"*) exit ${UV_STATUS:-0} ;;
    *"-m pip"*" install "*) exit ${PIP_STATUS:-0} ;;
    *) echo 3.12 ;;
esac
"""


def test_an_environment_is_created_again_after_an_interruption_and_after_a_change_of_its_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    venv, lock = tmp_path / "venv", tmp_path / "some.lock"
    lock.touch()
    arguments = ("venv.sh", str(venv), str(lock), str(fake_python(tmp_path / "bin", FAKE_PYTHON)))
    monkeypatch.setenv("PIP_STATUS", "1")
    assert sh(*arguments).returncode == 1
    monkeypatch.setenv("PIP_STATUS", "0")
    assert "creating" in sh(*arguments).stdout
    (venv / "kept").touch()
    assert sh(*arguments).stdout == ""
    assert (venv / "kept").exists()
    assert sh(*arguments[:-1], "").stdout == ""
    lock.write_text("# another\n")
    assert "creating" in sh(*arguments).stdout
    assert not (venv / "kept").exists()


def test_pip_installs_what_uv_cannot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lock = tmp_path / "some.lock"
    lock.touch()
    monkeypatch.setenv("UV_STATUS", "1")
    python = fake_python(tmp_path / "bin", FAKE_PYTHON)
    result = sh("venv.sh", str(tmp_path / "venv"), str(lock), str(python))
    assert (result.returncode, result.stdout.splitlines()[-1]) == (0, "uv failed, continuing with pip")
    assert (tmp_path / "venv" / ".made-from").exists()


@pytest.fixture
def environment(tmp_path: Path) -> Path:
    """A virtual environment, in a directory with an unusual name, whose Python is that of the tests."""
    venv = tmp_path / "it's an environment"
    (venv / "bin").mkdir(parents=True)
    (venv / "bin" / "python").write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    (venv / "bin" / "python").chmod(0o755)
    return venv


def install(venv: Path, code: Path = REPOSITORY) -> None:
    subprocess.run(["sh", str(REPOSITORY / "deploy/install.sh"), str(venv), str(code)], check=True)


def test_the_program_shop_works_in_any_directory(environment: Path, tmp_path: Path) -> None:
    install(environment)
    (tmp_path / "ops").mkdir()
    (tmp_path / "ops" / "__init__.py").write_text("raise SystemExit('the wrong code')")
    (tmp_path / "json.py").write_text("raise SystemExit('the wrong code')")
    program = [str(environment / "bin" / "shop"), "audit", "--home", str(tmp_path / "no shop")]
    shown = subprocess.run(program, cwd=tmp_path, capture_output=True, text=True)
    assert shown.returncode == 2
    assert shown.stderr.startswith(f"cannot audit: no shop is running in {tmp_path}/no shop: ")


def test_the_program_shop_is_written_again_only_if_it_changes(environment: Path, tmp_path: Path) -> None:
    program = environment / "bin" / "shop"
    install(environment)
    before = program.stat()
    install(environment)
    after = program.stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    install(environment, tmp_path)
    assert str(tmp_path) in program.read_text()
    assert os.access(program, os.X_OK)


def test_an_environment_that_was_made_before_gets_the_program_shop(tmp_path: Path) -> None:
    (tmp_path / "some.lock").touch()
    venv = tmp_path / "venv"
    arguments = ("venv.sh", str(venv), str(tmp_path / "some.lock"), str(fake_python(tmp_path / "bin", FAKE_PYTHON)))
    for _ in range(2):
        assert sh(*arguments).returncode == 0
        (venv / "bin" / "shop").unlink()
