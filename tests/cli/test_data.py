"""`workstation data` takes files in and lists what is there; errors are one sentence and a code."""

import json
from pathlib import Path

from typer.testing import CliRunner

from workstation.cli.data import app
from workstation.errors import BadInput, ImportRefused

BARS = "ts,open,high,low,close,volume\n" + "".join(
    f"{1_723_075_200 + 3600 * n},100.5,101,99.25,100,{n + 1}\n" for n in range(30)
)
NAMES = ["--kind", "bars", "--venue", "binance", "--symbol", "BTC/USDT"]


def a_file(home: Path, content: str = BARS) -> str:
    path = home / "bars.csv"
    path.write_text(content)
    return str(path)


def test_import_then_list_shows_the_series(home: Path) -> None:
    done = CliRunner().invoke(app, ["import", a_file(home), *NAMES, "--taker-fee", "0.0005"])
    assert done.exit_code == 0, done.output
    assert "bars.csv -> bars binance:BTC/USDT 1h" in done.output
    assert "tick 0.01, lot 1, fees 0.001 maker and 0.0005 taker" in done.output
    assert "stored: 30 rows; 0 were stored before" in done.output
    listed = CliRunner().invoke(app, ["list"]).output.splitlines()
    assert listed[0].split() == ["KIND", "VENUE", "SYMBOL", "INTERVAL", "FROM", "TO", "ROWS", "MB", "FILES"]
    assert listed[1].split()[:4] == ["bars", "binance", "BTC/USDT", "1h"]
    assert "2024-08-08T00:00:00Z" in listed[1]


def test_list_as_json_is_for_programs(home: Path) -> None:
    CliRunner().invoke(app, ["import", a_file(home), *NAMES])
    (dataset,) = json.loads(CliRunner().invoke(app, ["list", "--json"]).output)
    assert (dataset["kind"], dataset["symbol"], dataset["interval"], dataset["rows"]) == ("bars", "BTC/USDT", "1h", 30)


def test_an_empty_history_says_how_to_fill_it(home: Path) -> None:
    done = CliRunner().invoke(app, ["list", "--history", str(home / "elsewhere")])
    assert "workstation data import FILE" in done.output


def test_a_second_import_of_the_file_says_so(home: Path) -> None:
    CliRunner().invoke(app, ["import", a_file(home), *NAMES])
    assert "imported before: nothing to do" in CliRunner().invoke(app, ["import", a_file(home), *NAMES]).output


def test_remove_asks_then_says_what_it_removed(home: Path) -> None:
    CliRunner().invoke(app, ["import", a_file(home), *NAMES])
    remove = ["remove", *NAMES, "--interval", "1h"]
    assert CliRunner().invoke(app, remove, input="n\n").exit_code == 1
    assert len(json.loads(CliRunner().invoke(app, ["list", "--json"]).output)) == 1
    done = CliRunner().invoke(app, [*remove, "--yes"])
    assert "removed bars binance:BTC/USDT 1h from" in done.output
    assert "2 files" in done.output
    assert json.loads(CliRunner().invoke(app, ["list", "--json"]).output) == []
    assert "not stored" in str(CliRunner().invoke(app, [*remove, "--yes"]).exception)


def test_a_dry_run_shows_mapping_and_first_rows_and_stores_nothing(home: Path) -> None:
    done = CliRunner().invoke(app, ["import", a_file(home), *NAMES, "--dry-run"])
    assert "ts_open        from ts" in done.output
    assert "1723075200000000000" in done.output
    assert "dry run: nothing was stored" in done.output
    assert not (home / "history").exists()


def test_bad_rows_are_printed_with_lines_and_the_path_of_the_list(home: Path) -> None:
    done = CliRunner().invoke(app, ["import", a_file(home, BARS + "1723183200,1,2,3,1,1\n"), *NAMES])
    assert "line 32: high below low: 1723183200,1,2,3,1,1" in done.output
    assert f"bad rows: {home / 'bars.csv.rejects.csv'}" in done.output


def test_refusals_reach_the_command_line_as_errors_that_it_prints(home: Path) -> None:
    markup = ["--kind", "bars", "--venue", "binance", "--symbol", "<img src=x onerror=alert(1)>"]
    assert isinstance(CliRunner().invoke(app, ["import", a_file(home), *markup]).exception, BadInput)
    outside = ["--kind", "bars", "--venue", "../..", "--symbol", "BTC/USDT"]
    assert isinstance(CliRunner().invoke(app, ["import", a_file(home), *outside]).exception, BadInput)
    assert isinstance(CliRunner().invoke(app, ["import", a_file(home, ""), *NAMES]).exception, ImportRefused)
    assert isinstance(CliRunner().invoke(app, ["import", a_file(home), *NAMES, "--column", "x"]).exception, BadInput)
    assert CliRunner().invoke(app, ["import", a_file(home), *NAMES, "--tick-size", "small"]).exit_code == 2
