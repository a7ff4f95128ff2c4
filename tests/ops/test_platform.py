"""How an operator names the platform: the secrets may be in files, and on standard input."""

import io
from pathlib import Path

import pytest

from ops.errors import CannotDo
from ops.platform import Account, find_platform

AT = {"customer": "http://customer:8000", "kafka": "SASL_PLAINTEXT://ops@kafka:9092"}


@pytest.fixture(autouse=True)
def _nothing_else_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPS_PASSWORD", "KAFKA_PASSWORD"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(f"{name}_FILE", raising=False)


def test_passwords_are_read_from_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("OPS_PASSWORD", "of the account"), ("KAFKA_PASSWORD", "of-the-principal")):
        (tmp_path / name).write_text(f"{value}\n")
        monkeypatch.setenv(f"{name}_FILE", str(tmp_path / name))
    found = find_platform(AT, "ops@example.com", None)
    assert found.account == Account("ops@example.com", "of the account")
    assert found.kafka == "SASL_PLAINTEXT://ops:of-the-principal@kafka:9092"


def test_a_password_is_asked_for_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setenv("OPS_PASSWORD_FILE", "/dev/stdin")
    monkeypatch.setattr("sys.stdin", Terminal())
    monkeypatch.setattr("ops.platform.getpass", lambda prompt: f"typed at {prompt}")
    found = find_platform({"customer": AT["customer"]}, "ops@example.com", None)
    assert found.account == Account("ops@example.com", "typed at OPS_PASSWORD: ")


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPS_PASSWORD_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("KAFKA_PASSWORD", "something")
    with pytest.raises(CannotDo, match="OPS_PASSWORD_FILE: cannot read"):
        find_platform(AT, "ops@example.com", None)


def test_a_user_of_kafka_without_a_password_is_refused() -> None:
    with pytest.raises(CannotDo, match="KAFKA_PASSWORD is not set"):
        find_platform(AT, None, None)
