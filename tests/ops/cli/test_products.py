"""``shop import`` and ``shop export``, with the real product_svc."""

import csv
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import Request, Response

from product_svc.main import build
from tests.databases import Databases
from tests.ops.cli.front import Front, cut_off, staff_at
from tests.ops.cli.program import Result, assert_failed, run
from tests.ops.cli.stub import serving
from tests.ops.imports.files import write
from tests.ops.rest_apps import serving as serving_app
from tests.product_svc.apps import settings
from tests.product_svc.factories import new_sku

HEADING = "sku,name,price,currency"


@pytest.fixture(scope="module")
async def product_url(databases: Databases) -> AsyncIterator[str]:
    async with databases.lent_mongo() as mongo, serving_app(build(settings(mongo))) as url:
        yield url


@pytest.fixture
async def front(product_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Front]:
    # Files of a few lines have several parts.
    monkeypatch.setattr("ops.imports.records.MAX_LINES", 5)
    monkeypatch.setattr("ops.imports.download.PAUSE_SECONDS", 0.01)
    made = Front(product_url)
    async with serving(made.app) as url:
        made.env = staff_at(url, str(tmp_path / "state"))
        yield made


async def imported(front: Front, path: Path, *options: str) -> tuple[Result, dict[str, Any]]:
    result = await run("import", str(path), "--json", "--patience", "5", *options, **front.env)
    assert result.out, result.err
    return result, result.json


async def exported(front: Front, path: Path) -> list[dict[str, Any]]:
    """The products of the catalogue, by an export."""
    assert (await run("export", str(path), **front.env)).status == 0
    return [json.loads(line) for line in path.read_text().splitlines()]


def ndjson(*skus: str) -> str:
    price = {"amount": 5, "currency": "EUR"}
    lines = (json.dumps({"name": sku, "variants": [{"sku": sku, "price": price}]}) for sku in skus)
    return "".join(f"{line}\n" for line in lines)


async def test_a_file_of_variants_goes_in_and_comes_out(front: Front, tmp_path: Path) -> None:
    a, b = new_sku(), new_sku()
    content = f"\ufeffsku;name;price\r\n{a};Mug;12,50\r\n{b};Mug;13,00"
    path = write(tmp_path, content)
    options = ("--delimiter", ";", "--decimal-comma", "--currency", "eur")
    result, document = await imported(front, path, *options)
    assert (result.status, document["created"], document["changed"], document["failed"]) == (0, 1, 1, 0)
    [mug] = [one for one in await exported(front, tmp_path / "all.ndjson") if one["name"] == "Mug"]
    assert [(one["sku"], one["price"]["amount"]) for one in mug["variants"]] == [(a, 1250), (b, 1300)]
    for name in ("all.ndjson", "all.csv"):
        done = await run("export", str(tmp_path / name), "--json", **front.env)
        assert (done.json["bytes"], done.json["products"] > 0) == ((tmp_path / name).stat().st_size, True)
        result, document = await imported(front, tmp_path / name)
        assert (result.status, document["created"], document["changed"]) == (0, 0, 0)
        assert document["unchanged"] > 0
    printed = await run("export", "--format", "csv", **front.env)
    assert printed.out.splitlines() == (tmp_path / "all.csv").read_text().splitlines()
    assert not [*tmp_path.glob("*.part")]


async def test_faulty_lines_are_listed_with_number_field_and_reason(front: Front, tmp_path: Path) -> None:
    a, b, c = new_sku(), new_sku(), new_sku()
    rows = (f"{a},Mug,5.00,EUR", f'{b},"Cup,5.00,EUR', "", f"{b},Cup,x,EUR", f"{c},,5.00,EUR", "not a sku,Jug,1,EUR")
    path = write(tmp_path, "\n".join((HEADING, *rows)))
    result, document = await imported(front, path, "--decimal-prices")
    assert (result.status, document["created"], document["failed"]) == (1, 1, 4)
    listed = [*csv.DictReader(Path(document["faults_file"]).read_text().splitlines())]
    assert Path(document["faults_file"]) == tmp_path / "products.csv.faults.csv"
    assert [(one["line"], one["field"]) for one in listed] == [
        *(("3", "line"), ("5", "price"), ("6", "name"), ("7", "sku")),
    ]
    assert listed[1]["reason"] == "'x' is no price"
    assert [str(one["line"]) for one in document["faults"]] == [one["line"] for one in listed]
    shown = await run("import", str(path), "--decimal-prices", "--faults", str(tmp_path / "f.csv"), **front.env)
    assert shown.status == 1
    assert "'x' is no price" in shown.out
    assert "1 unchanged, 4 faulty" in shown.out
    assert (tmp_path / "f.csv").exists()


async def test_an_interrupted_import_continues_and_no_line_is_imported_twice(front: Front, tmp_path: Path) -> None:
    path = write(tmp_path, ndjson(*(new_sku() for _ in range(12))), "products.ndjson")

    def stop_at_the_second(request: Request, response: Response) -> Response:
        return Response(status_code=503) if "first_line=6" in request.url.query else response

    front.disturb = stop_at_the_second
    stopped = await run("import", str(path), "--patience", "0", **front.env)
    assert_failed(stopped, "503", "the same command continues")
    # The part had arrived: only its response was lost.
    front.disturb = lambda _request, response: response
    front.requests.clear()
    result, document = await imported(front, path)
    assert (result.status, document["created"], document["continued_at"]) == (0, 12, 11)
    assert [one.partition("?")[2] for one in front.requests if "/parts" in one] == ["first_line=11"]
    # It is done: the next one is another import.
    assert (await imported(front, path))[1]["unchanged"] == 12


async def test_a_file_that_was_changed_begins_anew(front: Front, tmp_path: Path) -> None:
    skus = [new_sku() for _ in range(6)]
    path = write(tmp_path, ndjson(*skus), "products.ndjson")
    front.disturb = lambda request, response: (
        Response(status_code=503) if "first_line=6" in request.url.query else response
    )
    assert (await run("import", str(path), "--patience", "0", **front.env)).status == 2
    front.disturb = lambda _request, response: response
    write(tmp_path, ndjson(*skus, new_sku()), "products.ndjson")
    document = (await imported(front, path))[1]
    assert (document["continued_at"], document["created"], document["unchanged"]) == (1, 1, 6)


async def test_an_import_of_which_only_the_report_is_missing_is_reported(front: Front, tmp_path: Path) -> None:
    path = write(tmp_path, f"{ndjson(*(new_sku() for _ in range(5)))}{{}}\n", "products.ndjson")
    failing = {"first_line=6", "/faults"}
    front.disturb = lambda request, response: (
        Response(status_code=503) if any(one in str(request.url) for one in failing) else response
    )
    assert (await run("import", str(path), "--patience", "0", **front.env)).status == 2
    failing.remove("first_line=6")
    assert_failed(await run("import", str(path), "--patience", "0", **front.env), "503", "the same command continues")
    failing.clear()
    unwritable = ("--faults", str(tmp_path / "no" / "faults.csv"))
    assert_failed(await run("import", str(path), *unwritable, **front.env), "set --faults")
    shown = await run("import", str(path), **front.env)
    assert shown.status == 1
    assert "continued at line 7" in shown.out
    assert "5 created, 0 changed, 0 unchanged, 1 faulty" in shown.out
    assert ", 0 lines/s)" in shown.out, "all were sent before"
    assert (await imported(front, path))[1]["unchanged"] == 5


async def test_the_list_of_faults_is_whole_and_goes_when_there_are_none(front: Front, tmp_path: Path) -> None:
    sku = new_sku()
    path, listed = write(tmp_path, f"{HEADING}\n{sku},Mug,x,EUR\n"), tmp_path / "products.csv.faults.csv"
    listed.write_text("of an earlier attempt")
    asked = iter((True, True, False))
    front.disturb = lambda request, response: (
        Response(status_code=503) if "/faults" in request.url.path and next(asked) else response
    )
    assert_failed(await run("import", str(path), "--patience", "0", **front.env), "503")
    assert listed.read_text() == "of an earlier attempt"
    assert (await imported(front, path))[0].status == 1, "patience is for the list as well"
    assert listed.read_text().splitlines()[0] == "line,field,reason,code"
    assert not [*tmp_path.glob("*.part")]
    assert (await imported(front, write(tmp_path, f"{HEADING}\n{sku},Mug,5,EUR\n")))[0].status == 0
    assert not listed.exists()


async def test_only_the_list_with_our_own_name_is_removed(front: Front, tmp_path: Path) -> None:
    path, named = write(tmp_path, f"{HEADING}\n{new_sku()},Mug,5,EUR\n"), tmp_path / "notes.csv"
    named.write_text("of somebody")
    assert (await run("import", str(path), "--decimal-prices", "--faults", str(named), **front.env)).status == 0
    assert named.read_text() == "of somebody"
    same = await run("import", str(path), "--decimal-prices", "--faults", str(path), **front.env)
    assert_failed(same, "--faults names the file that is imported")
    assert path.exists()


async def test_lost_connections_and_ended_tokens_are_no_loss(front: Front, tmp_path: Path) -> None:
    path = write(tmp_path, ndjson(*(new_sku() for _ in range(11))), "products.ndjson")
    lost: set[str] = set()

    def lose_once(request: Request, response: Response) -> Response:
        if "first_line=6" in request.url.query:
            front.ended_tokens = 1
        if "/parts" not in request.url.path or request.url.query in lost or response.status_code == 401:
            return response
        lost.add(request.url.query)
        return cut_off(response, 5)

    front.disturb = lose_once
    result, document = await imported(front, path, "--patience", "60")
    assert (result.status, document["created"], document["unchanged"]) == (0, 11, 0)
    assert (len(lost), front.logins) == (3, 2)


async def test_an_export_continues_behind_the_last_whole_product(front: Front, tmp_path: Path) -> None:
    skus = [new_sku() for _ in range(4)]
    rows = (f"{sku},{'Mug' if n < 3 else 'Cup'},5,EUR" for n, sku in enumerate(skus))
    await imported(front, write(tmp_path, "\n".join((HEADING, *rows))))
    whole = {}
    for name in ("all.csv", "all.ndjson"):
        assert (await run("export", str(tmp_path / name), **front.env)).status == 0
        whole[name] = (tmp_path / name).read_bytes()
    cuts = iter((len(whole["all.csv"]) - 120, 30))
    front.disturb = lambda _request, response: cut_off(response, size) if (size := next(cuts, 0)) else response
    assert (await run("export", str(tmp_path / "all.csv"), **front.env)).status == 0
    cuts = iter((len(whole["all.ndjson"]) - 20, 1))
    assert (await run("export", str(tmp_path / "all.ndjson"), **front.env)).status == 0
    assert {name: (tmp_path / name).read_bytes() for name in whole} == whole
    front.disturb = lambda _request, response: cut_off(response, 0)
    failed = await run("export", str(tmp_path / "none.csv"), "--patience", "0", **front.env)
    assert_failed(failed, "does not answer")
    assert not (tmp_path / "none.csv").exists()


async def test_a_dry_run_imports_nothing(front: Front, tmp_path: Path) -> None:
    a = new_sku()
    path = write(tmp_path, f"{HEADING}\n{a},Mug,5,EUR\n{a},Mug,x,EUR\n")
    result, document = await imported(front, path, "--dry-run")
    assert (result.status, document["dry_run"], document["created"], document["failed"]) == (1, True, 1, 1)
    result, document = await imported(front, path)
    assert (document["created"], document["unchanged"]) == (1, 0)


async def test_an_export_of_another_shop_program_is_imported(front: Front, tmp_path: Path) -> None:
    a, b = new_sku(), new_sku()
    rows = f"mug,Mug,Size,S,{a},12.50\nmug,,,M,{b},x\ncup,,,,,3\n"
    content = f"Handle,Title,Option1 Name,Option1 Value,Variant SKU,Variant Price\n{rows}"
    result, document = await imported(front, write(tmp_path, content), "--from", "shopify", "--currency", "EUR")
    assert (result.status, document["created"], document["failed"]) == (1, 1, 2)
    assert [(one["line"], one["field"]) for one in document["faults"]] == [(3, "price"), (4, "SKU")]
    found = [one for one in await exported(front, tmp_path / "all.ndjson") if one["variants"][0]["sku"] == a]
    assert found[0]["variants"][0]["attributes"] == {"size": "S"}


async def test_what_users_get_wrong_is_one_line(front: Front, tmp_path: Path) -> None:
    # One of each kind: ``test_product_options`` has the others.
    good = write(tmp_path, f"{HEADING}\nA,Mug,5,EUR\n")
    for arguments, words in (
        (("import", str(tmp_path / "none.csv")), ("there is no file",)),
        (("import", str(good), "--from", "ebay"), ("'ebay'",)),
        (("import", str(good), "--currency", "EUX"), ("no currency 'EUX'",)),
        (("import", str(write(tmp_path, "sku,colour\nA,red\n", "c.csv"))), ("unknown columns",)),
        (("export", "--json"), ("name a FILE",)),
        (("export", str(tmp_path / "no" / "x.csv")), ("cannot be written",)),
    ):
        assert_failed(await run(*arguments, **front.env), *words)
    nobody = {name: value for name, value in front.env.items() if not name.startswith("STAFF")}
    assert_failed(await run("import", str(good), **nobody), "set --email and STAFF_PASSWORD")


async def test_the_account_of_make_run_is_found(front: Front, tmp_path: Path) -> None:
    (tmp_path / "password").write_text(front.env["STAFF_PASSWORD"])
    url, topics = front.env["PRODUCT_URL"], {"kafka": "unreachable:9092", "kafka_prefix": ""}
    account = {"email": front.env["STAFF_EMAIL"], "password_file": str(tmp_path / "password")}
    names = ("customer", "product", "order", "notifier")
    record = {"state": "up", "processes": {name: {"url": url} for name in names}}
    (tmp_path / "run.json").write_text(json.dumps({**record, "ops": account | topics, "staff": account}))
    result = await run("export", str(tmp_path / "all.csv"), SHOP_HOME=str(tmp_path))
    assert (result.status, result.err) == (0, "")
