"""The command `workstation verify`: the same is exit code 0, another decision is a sentence and exit code 1."""

import json
from pathlib import Path

import pytest

from tests.cli.histories import BTC, refusal, run, store_bars
from workstation.cli.verify import as_sentence
from workstation.history.store import HistoryStore
from workstation.model.ids import RunId
from workstation.research.verify import Verified

BARS = ("ma-cross", "--venue", "nova", "--symbol", BTC, "--interval", "1h", "--param", "fast=3", "--param", "slow=8")


@pytest.fixture
def journaled(history: HistoryStore, capsys: pytest.CaptureFixture[str]) -> HistoryStore:
    """The run ma-cross-1.1 in the home's ledger."""
    assert run("replay", *BARS) == 0
    capsys.readouterr()
    return history


@pytest.mark.usefixtures("journaled")
def test_a_run_is_made_again_and_is_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("verify", "ma-cross-1.1") == 0
    words = capsys.readouterr().out.split()
    assert words[:2] == ["run", "ma-cross-1.1:"]
    assert words[3:4] + words[5:] == ["inputs,", "decisions,", "all", "the", "same"]
    assert int(words[2].replace(",", "")) > 20 and int(words[4].replace(",", "")) > 20


@pytest.mark.usefixtures("journaled")
def test_json_holds_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("verify", "ma-cross-1.1", "--json") == 0
    content = json.loads(capsys.readouterr().out)
    assert (content["run_id"], content["is_same"], content["is_same_code"]) == ("ma-cross-1.1", True, True)
    assert content["decisions"] > 20


def test_another_history_decides_otherwise(
    journaled: HistoryStore, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = HistoryStore(tmp_path / "other")
    store_bars(other, seed=8)
    capsys.readouterr()
    said = refusal(capsys, "verify", "ma-cross-1.1", "--history", other.root)
    assert said.startswith("run ma-cross-1.1, position ")
    assert "the same inputs now give" in said
    assert run("verify", "ma-cross-1.1", "--history", other.root, "--json") == 1
    printed = capsys.readouterr()
    content = json.loads(printed.out)
    assert content == {"run_id": "ma-cross-1.1", "is_same": False, "difference": said.rstrip("\n")}


@pytest.mark.usefixtures("journaled")
def test_an_unknown_run_is_answered_with_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert "(nearest: ma-cross-1.1)" in refusal(capsys, "verify", "ma-cros-1.1")


def test_no_ledger_at_all_is_a_sentence(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert refusal(capsys, "verify", "x.1").startswith(f"ledger {home / 'ledger.db'}: no such file: expected the file")


def test_changed_code_is_mentioned() -> None:
    verified = Verified(run_id=RunId("x.1"), inputs=1234, decisions=5, is_same_code=False)
    sentence = "run x.1: 1,234 inputs, 5 decisions, all the same (the code has changed since the run)"
    assert as_sentence(verified) == sentence


def test_a_folder_is_no_ledger(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert refusal(capsys, "verify", "x", "--ledger", home).startswith(f"ledger {home}: is a folder: expected ")
    assert refusal(capsys, "verify", "x", "--ledger", "").startswith("ledger .: is a folder: expected ")
