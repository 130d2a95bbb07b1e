"""The command `workstation backtest`: figures and trades, and one clear sentence for whatever cannot be."""

import json

import pytest

from tests.cli.histories import BTC, refusal, run
from workstation.history.store import FILL_IT, HistoryStore

pytestmark = pytest.mark.usefixtures("history")
SERIES = ("--venue", "nova", "--symbol", BTC, "--interval", "1h")
SHORT = ("--param", "fast=3", "--param", "slow=8")


def test_figures_have_units_and_the_last_trades_follow(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("backtest", "ma-cross", *SERIES, *SHORT) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("ma-cross(") and "fast=3" in lines[0] and lines[0].endswith("400 bars of 1h")
    figures = {line.split("  ")[0]: line for line in lines[1:]}
    assert figures["Total return"].endswith("%")
    assert figures["Fees"].endswith("USDT")
    table = lines[lines.index("") + 1 :]
    assert table[0].startswith("last 8 of ")
    assert "PNL (USDT)" in table[1]
    assert len(table) == 2 + 8


def test_json_is_one_document_and_all_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("backtest", "ma-cross", *SERIES, *SHORT, "--json") == 0
    content = json.loads(capsys.readouterr().out)
    wanted = {"total_return", "sharpe_ratio", "max_drawdown", "win_rate", "profit_factor", "fees_quote"}
    assert wanted <= set(content["metrics"])
    assert content["parameters"]["fast"] == 3
    assert len(content["trades"]) == content["metrics"]["trades"] + content["metrics"]["open_trades"] > 10
    assert len(content["equity"]["equity_quote"]) == 400


def test_options_reach_the_back_test(capsys: pytest.CaptureFixture[str]) -> None:
    options = ("--fill-at", "this-close", "--sizing", "fixed-quantity=0.1", "--slippage-bps", "2", "--leverage", "3")
    span = ("--from", "2024-05-02", "--to", "2024-05-10T12:00", "--balance", "5000.5")
    assert run("backtest", "ma-cross", *SERIES, *SHORT, *options, *span, "--json") == 0
    content = json.loads(capsys.readouterr().out)
    assert content["settings"] == {
        "sizing": {"mode": "fixed_quantity", "value": 0.1, "leverage": 3.0},
        "initial_balance_quote": 5000.5,
        "fill_at": "this-close",
        "slippage_rate": 0.0002,
        "finalize": False,
    }
    assert content["bars"] == 8 * 24 + 12


def test_slippage_comes_from_the_settings(history: HistoryStore, capsys: pytest.CaptureFixture[str]) -> None:
    (history.root.parent / "workstation.toml").write_text("[paper]\nslippage_bps = 3\n")
    assert run("backtest", "ma-cross", *SERIES, "--json") == 0
    assert json.loads(capsys.readouterr().out)["settings"]["slippage_rate"] == 0.0003


def test_slippage_comes_from_the_named_settings(history: HistoryStore, capsys: pytest.CaptureFixture[str]) -> None:
    other = history.root.parent / "other.toml"
    other.write_text("[paper]\nslippage_bps = 4\n")
    assert run("backtest", "ma-cross", *SERIES, "--config", other, "--json") == 0
    assert json.loads(capsys.readouterr().out)["settings"]["slippage_rate"] == 0.0004


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("ma-cros", *SERIES), "strategy 'ma-cros': not known, did you mean 'ma-cross'?"),
        (("ma-cross", *SERIES, "--param", "fats=3"), "parameter 'fats' is not declared (known: atr_stop,"),
        (("ma-cross", *SERIES, "--param", "name=x"), "parameter 'name' is not declared"),
        (("ma-cross", *SERIES, "--param", "fast"), "parameter 'fast': expected NAME=VALUE"),
        (
            ("ma-cross", *SERIES, "--param", "fast=3", "--param", "fast=4"),
            "parameter fast: given as 3 and as 4",
        ),
        (("ma-cross", *SERIES, "--param", "fast=0"), "must be at least 1, not 0"),
        (("ma-cross", *SERIES, "--param", "fast=ten"), "ma-cross: fast 'ten': expected a whole number"),
        (("ma-cross", *SERIES, "--param", "atr_stop=nan"), "ma-cross: atr_stop 'nan': expected a finite number"),
        (("ma-cross", *SERIES, "--param", "side=up"), "ma-cross: side 'up': expected one of long, short, both"),
        (("ma-cross", *SERIES, "--param", "fast=60"), "fast 60: expected less than slow 50"),
        (("spread-reversion", *SERIES), "spread-reversion: trades on quotes, which only a replay has"),
        (("ma-cross", *SERIES, "--venue", "vega"), f"bars vega:{BTC} 1h: not stored; stored are: bars nova:{BTC} 1h"),
        (("ma-cross", *SERIES, "--symbol", "ETH/USDT"), f"not stored; stored are: bars nova:{BTC} 1h"),
        (("ma-cross", *SERIES, "--interval", "5m"), f"5m: not stored; stored are: bars nova:{BTC} 1h"),
        (("ma-cross", *SERIES, "--interval", "7m"), "interval '7m': expected one of 1s, "),
        (("ma-cross", *SERIES, "--venue", "../etc"), "venue '../etc': expected 1 to 40 characters"),
        (("ma-cross", *SERIES, "--symbol", "<img src=x onerror=alert(1)>"), "expected BASE/QUOTE"),
        (("ma-cross", *SERIES, "--symbol", "<b>/x"), "symbol '<b>/x': "),
        (("ma-cross", *SERIES, "--from", "2024-05-03", "--to", "2024-05-02"), "expected a start before the end"),
        (("ma-cross", *SERIES, "--from", "2024-05-03", "--to", "2024-05-03"), "expected a start before the end"),
        (("ma-cross", *SERIES, "--from", "yesterday"), "time 'yesterday': expected a date such as 2024-05-01"),
        (("ma-cross", *SERIES, "--from", "9999-01-01"), "time 9999-01-01: expected a year from 1970 to 2261"),
        (("ma-cross", *SERIES, "--from", "2030-01-01"), "stored are 2024-05-01T00:00:00Z to "),
        (
            ("ma-cross", *SERIES, "--from", "2024-05-01T00:10", "--to", "2024-05-01T00:20"),
            "nothing between 2024-05-01T00",
        ),
        (("ma-cross", *SERIES, "--sizing", "half"), "sizing 'half': expected MODE=NUMBER, MODE one of fixed-quantity"),
        (("ma-cross", *SERIES, "--sizing", "fixed-notional=much"), "sizing fixed-notional 'much': expected a number"),
        (("ma-cross", *SERIES, "--sizing", "fixed-notional=-1"), "value -1.0: expected a finite number over 0"),
        (("ma-cross", *SERIES, "--leverage", "0"), "leverage 0.0: expected a finite number over 0"),
        (("ma-cross", *SERIES, "--balance", "0"), "balance 0: expected a finite number over 0"),
        (("ma-cross", *SERIES, "--slippage-bps", "-1"), "slippage -1 bps: expected from 0"),
        (("ma-cross", *SERIES, "--slippage-bps", "nan"), "slippage_bps nan: expected a finite number"),
    ],
)
def test_what_cannot_be_is_one_sentence(
    arguments: tuple[str, ...], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert sentence in refusal(capsys, "backtest", *arguments)


def test_an_empty_history_says_how_to_fill_it(capsys: pytest.CaptureFixture[str], history: HistoryStore) -> None:
    nowhere = history.root.parent / "nowhere"
    said = refusal(capsys, "backtest", "ma-cross", *SERIES, "--history", nowhere)
    assert said == f"history {nowhere}: no such folder; `workstation data import FILE` begins one\n"
    nowhere.mkdir()
    said = refusal(capsys, "backtest", "ma-cross", *SERIES, "--history", nowhere)
    assert said == f"history {nowhere}: holds nothing; {FILL_IT}\n"


@pytest.mark.parametrize(
    "arguments",
    [("ma-cross",), ("ma-cross", *SERIES, "--balance", "much"), ("ma-cross", *SERIES, "--fill-at", "never")],
)
def test_wrong_usage_is_exit_code_2(arguments: tuple[str, ...]) -> None:
    assert run("backtest", *arguments) == 2
