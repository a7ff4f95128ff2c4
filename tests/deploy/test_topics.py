"""``python -m deploy.topics``: what is wrong with its settings is said in their names."""

from pathlib import Path

import pytest
import typer

from deploy.topics import main


@pytest.mark.parametrize("content", [None, "\n"], ids=["not set", "empty"])
def test_a_password_that_is_missing_is_named_as_it_is_read(
    content: str | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "password"
    file.write_text(content or "")
    with pytest.raises(typer.Exit) as ended:
        main("SASL_SSL://admin@kafka:9093", password_file=None if content is None else file)
    assert ended.value.exit_code == 1
    said = "names a user without a password, and KAFKA_PASSWORD_FILE is not set or empty"
    assert capsys.readouterr().err == f"cannot create topics on kafka:9093: {said}\n"
