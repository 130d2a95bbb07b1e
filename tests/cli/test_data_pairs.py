"""`workstation data spreads`, `data opportunities`: found in stored quotes, listed, removed; refused in a sentence."""

import json

import pytest

from tests.cli.histories import BTC, refusal, run
from workstation.history.store import HistoryStore


def said(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    capsys.readouterr()
    assert run(*arguments) == 0
    return capsys.readouterr().out


def test_both_are_kept_listed_and_removed(history: HistoryStore, capsys: pytest.CaptureFixture[str]) -> None:
    where = ("nova", "orion", BTC)
    first = said(capsys, "data", "opportunities", *where, "--least-bps", "0")
    found = int(first.split(": ")[1].split(" ")[0].replace(",", ""))
    assert found > 3 and f"{found:,} new in" in first
    assert f"{found:,} opportunities, 0 new in" in said(capsys, "data", "opportunities", *where, "--least-bps", "0")
    assert "spreads, " in said(capsys, "data", "spreads", *where, "--window", "1", "--to", "2024-05-01T00:05")
    listed = {one["kind"]: one for one in json.loads(said(capsys, "data", "list", "--json"))}
    assert listed["opportunities"]["rows"] == found
    assert (listed["spreads"]["venue"], listed["spreads"]["symbol"]) == ("nova~orion", BTC)
    pair = ("--venue", "nova~orion", "--symbol", BTC, "--yes")
    assert "removed opportunities nova~orion" in said(capsys, "data", "remove", "--kind", "opportunities", *pair)
    assert "opportunities" not in said(capsys, "data", "list")
    assert "quotes" in said(capsys, "data", "quality") and "spreads" not in said(capsys, "data", "quality")
    assert "files of" in said(capsys, "data", "compact")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("opportunities", "nova", "vega", BTC), f"quotes vega:{BTC}: not stored"),
        (("spreads", "nova", "nova", BTC), "venue nova: named twice"),
        (("spreads", "nova", "orion", BTC, "--basis", "USDC"), "basis 'USDC': expected VENUE:SYMBOL"),
        (("opportunities", "nova", "orion", BTC, "--least-bps", "nan"), "opportunities: least_bps nan"),
        (("spreads", "nova", "orion", BTC, "--from", "soon"), "time 'soon': expected a date"),
        (("remove", "--kind", "spreads", "--venue", "nova", "--symbol", BTC), "venue 'nova': expected two, such as"),
    ],
)
def test_what_cannot_be_found_is_refused(
    history: HistoryStore, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], sentence: str
) -> None:
    assert refusal(capsys, "data", *arguments).startswith(sentence)
