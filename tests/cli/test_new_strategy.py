"""`workstation new-strategy`: from a name to a strategy that back-tests, replays and verifies, and what is refused."""

import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.histories import BTC, refusal, run
from workstation.research import sample
from workstation.strategies.catalog import OwnStrategies, take_in

ON_BARS = ("--venue", "nova", "--symbol", BTC, "--interval", "1h")


@pytest.fixture(autouse=True)
def nothing_is_left() -> Iterator[None]:
    yield
    take_in(OwnStrategies())


@pytest.fixture
def made(home: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """The file of a new strategy."""
    assert run("new-strategy", "my-breakout") == 0
    file = home / "strategies" / "my_breakout.py"
    assert capsys.readouterr().out == f"{file}\n"
    return file


@pytest.mark.usefixtures("history", "made")
def test_a_new_strategy_is_backtested_replayed_and_verified_by_its_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("backtest", "my-breakout", *ON_BARS, "--param", "window=5", "--json") == 0
    assert '"strategy": "my-breakout"' in capsys.readouterr().out
    assert run("replay", "my-breakout", *ON_BARS, "--param", "window=5") == 0
    capsys.readouterr()
    assert run("verify", "my-breakout-1.1") == 0
    said = capsys.readouterr().out
    assert said.endswith("decisions, all the same\n") and ", 0 decisions" not in said


def test_what_it_says_to_try_works_in_a_fresh_home(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("new-strategy", "my-breakout") == 0
    said = capsys.readouterr().err.splitlines()[-1].removeprefix("try it:   ")
    assert said in (home / "strategies" / "my_breakout.py").read_text()
    assert run(*shlex.split(said)[1:]) == 0
    assert "17,544 bars" in capsys.readouterr().out


@pytest.mark.usefixtures("history")
def test_a_history_of_the_home_needs_no_other(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("new-strategy", "my-breakout") == 0
    assert capsys.readouterr().err.endswith(" --interval 1h\n")


def test_without_a_checkout_the_sample_is_made_first(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sample, "CHECKOUT_SAMPLE", home / "no-checkout")
    assert run("new-strategy", "my-breakout") == 0
    _, first, then = capsys.readouterr().err.splitlines()
    assert first == "sample:   workstation demo --replay"
    assert then.endswith(f" --history {home / 'demo' / 'history'}")


@pytest.mark.usefixtures("history")
def test_verify_says_when_the_file_is_another_one(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("replay", "my-breakout", *ON_BARS, "--param", "window=5") == 0
    capsys.readouterr()
    content = made.read_text()
    made.write_text(content + "\n# another word\n")
    assert run("verify", "my-breakout-1.1") == 0
    assert "all the same (the strategy's file has changed since the run)" in capsys.readouterr().out
    made.write_text(content.replace("bars.close > highest", "bars.close < lowest"))
    assert run("verify", "my-breakout-1.1") == 1
    first, difference = capsys.readouterr().err.splitlines()
    assert first.startswith("workstation: the file of strategy my-breakout is another one than in the run: its SHA-256")
    assert difference.startswith("run my-breakout-1.1, position ")


@pytest.mark.slow
def test_the_test_that_is_written_beside_it_holds(home: Path, made: Path) -> None:
    test = made.with_name("test_my_breakout.py")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", "/dev/null", str(test)]
    root = str(Path(__file__).resolve().parents[2])
    environment = os.environ | {"WORKSTATION_HOME": str(home), "PYTHONPATH": root}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=home, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.usefixtures("made")
@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("my-breakout", "is that of the strategy in"),
        ("ma-cross", "is that of a shipped strategy"),
        ("My Breakout", "expected a-z, 0-9 and -"),
        ("../outside", "expected a-z, 0-9 and -"),
        ("import", "a file of that name is no strategy's"),
        ("test-me", "a file of that name is no strategy's"),
    ],
)
def test_a_name_that_cannot_be_is_refused(capsys: pytest.CaptureFixture[str], name: str, sentence: str) -> None:
    assert sentence in refusal(capsys, "new-strategy", name)


def test_what_is_there_is_not_touched(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / "strategies").mkdir()
    (home / "strategies" / "mine.py").write_text("not yet Python(")
    assert "mine.py: is there already" in refusal(capsys, "new-strategy", "mine")
    assert (home / "strategies" / "mine.py").read_text() == "not yet Python("


def test_doctor_names_a_file_that_cannot_be_loaded(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run("doctor")
    assert f"strategies    ok    {made.parent}: my-breakout" in capsys.readouterr().out
    made.write_text("STRATEGY_API = 9\n")
    run("doctor")
    assert (
        f"strategies    warn  none of one's own in {made.parent}; {made}: STRATEGY_API = 9" in capsys.readouterr().out
    )
