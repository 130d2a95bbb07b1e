"""`workstation report`: what it says before a kernel is started, and the list."""

import json
from pathlib import Path

import pytest

from tests.cli.histories import BTC, refusal, run

ON_BARS = ("--venue", "nova", "--symbol", BTC, "--interval", "1h")


@pytest.mark.slow
@pytest.mark.usefixtures("history")
def test_a_report_is_made_and_listed(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("report", "run", "backtest", "--strategy", "ma-cross", *ON_BARS, "--param", "fast=5") == 0
    file = Path(capsys.readouterr().out.strip())
    assert file.parent == home / "runs" / "reports" and file.exists()
    assert run("report", "list") == 0
    assert f"ma-cross on nova:{BTC}" in capsys.readouterr().out
    file.unlink()
    assert run("report", "list") == 0
    assert f"{file} (gone)" in capsys.readouterr().out
    assert run("report", "list", "--json") == 0
    assert json.loads(capsys.readouterr().out)[0]["kind"] == "backtest"


@pytest.mark.usefixtures("history")
@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--strategy", "ma-crss"), "strategy 'ma-crss': not known, did you mean 'ma-cross'?"),
        (("--strategy", "ma-cross", "--param", "fast=0"), "strategy ma-cross: "),
        (("--strategy", "ma-cross", "--venue", "orion"), "venues orion, nova: a back-test has one"),
        (("--strategy", "ma-cross", "--latency-ms", "5"), "--latency-ms: a back-test has none"),
    ],
)
def test_what_cannot_be_is_said_before_anything_runs(
    capsys: pytest.CaptureFixture[str], options: tuple[str, ...], sentence: str
) -> None:
    assert sentence in refusal(capsys, "report", "run", "backtest", *options, *ON_BARS)


@pytest.mark.usefixtures("home")
def test_an_empty_list_says_how_to_begin(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("report", "list") == 0
    assert "`workstation report run --help`" in capsys.readouterr().err
