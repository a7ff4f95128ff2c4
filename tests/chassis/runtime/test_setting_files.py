"""Settings from files: every setting can be in one, and what is wrong with the file is said at the start."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from chassis.runtime.settings import EX_CONFIG, Settings, load

BROKERS = "SASL_SSL://order_svc@a:9093"


class Example(Settings):
    """With a file of its own."""

    link_key: SecretStr
    key_file: Path | None = None


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, Path]:
    """Files with the values of settings."""
    files = {name: tmp_path / name for name in ("LINK_KEY", "KAFKA_PASSWORD", "HTTP_REQUESTS", "PUBLIC_URLS")}
    for (name, path), value in zip(
        files.items(), ("s3cr3t\n", "p@ss word\n", "7", '{"x": "https://x"}'), strict=True
    ):
        path.write_text(value)
        monkeypatch.setenv(f"{name}_FILE", str(path))
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", BROKERS)
    return files


def refused(capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit) as ended:
        load(Example, "example")
    assert ended.value.code == EX_CONFIG
    return capsys.readouterr().err


@pytest.mark.usefixtures("environment")
def test_settings_of_any_type_are_read_from_files() -> None:
    settings = load(Example, "example")
    assert settings.link_key.get_secret_value() == "s3cr3t"
    assert settings.http_requests == 7
    assert str(settings.public_urls["x"]) == "https://x/"


@pytest.mark.usefixtures("environment")
def test_the_password_is_added_to_the_brokers() -> None:
    assert load(Example, "example").kafka_bootstrap_servers == "SASL_SSL://order_svc:p%40ss%20word@a:9093"


@pytest.mark.usefixtures("environment")
def test_a_setting_that_is_given_twice_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LINK_KEY", "another")
    assert "LINK_KEY_FILE: is set, and LINK_KEY as well" in refused(capsys)


@pytest.mark.parametrize(
    ("content", "why"),
    [(None, "No such file"), (b"\xff\xfe", "is not text"), (b"", "is empty"), (b"\n", "is empty")],
)
def test_a_file_that_cannot_be_read_is_named(
    content: bytes | None, why: str, environment: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    path = environment["LINK_KEY"]
    path.unlink() if content is None else path.write_bytes(content)
    assert f"LINK_KEY_FILE: {path}: {why}" in refused(capsys)


@pytest.mark.parametrize("text", ["https://x", '{"x": ', "\N{SNOWMAN}"])
def test_what_is_not_json_is_named_wherever_it_is(
    text: str, environment: dict[str, Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    environment["PUBLIC_URLS"].write_text(text)
    assert "\n  PUBLIC_URLS_FILE: is not JSON: " in refused(capsys)
    monkeypatch.delenv("PUBLIC_URLS_FILE")
    monkeypatch.setenv("PUBLIC_URLS", text)
    assert "\n  PUBLIC_URLS: is not JSON: " in refused(capsys)


def test_an_empty_variable_is_no_setting(
    environment: dict[str, Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LINK_KEY", "")
    assert load(Example, "example").link_key.get_secret_value() == environment["LINK_KEY"].read_text().strip()
    monkeypatch.delenv("LINK_KEY_FILE")
    assert "LINK_KEY: is not set" in refused(capsys)


def test_a_setting_whose_own_name_ends_so_keeps_its_meaning(
    environment: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KEY_FILE", str(environment["LINK_KEY"]))
    assert load(Example, "example").key_file == environment["LINK_KEY"]


@pytest.mark.parametrize("servers", [BROKERS, "SASL_SSL://order_svc:other@a:9093", "a:9092"])
def test_brokers_have_one_password_for_a_user(
    servers: str, environment: dict[str, Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", servers)
    if servers == BROKERS:
        monkeypatch.delenv("KAFKA_PASSWORD_FILE")
    assert "KAFKA_BOOTSTRAP_SERVERS: names a" in refused(capsys)
