"""`workstation demo --replay`: two verified runs in a folder of its own, and again when it is run again."""

import json
import shlex
from pathlib import Path

import pytest

from tests.cli.histories import refusal, run
from workstation.ledger.journal import read_runs
from workstation.research.sample import sample_history
from workstation.simulator.sample import write_sample


@pytest.mark.slow
def test_demo_runs_verifies_and_runs_again(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("demo", "--replay") == run("demo", "--replay") == 0
    printed = capsys.readouterr()
    assert printed.out.count("decisions, all the same\n") == 4
    names = {f"{strategy}-{number}.1" for strategy in ("ma-cross", "spread-reversion") for number in (1, 2)}
    assert {one.run_id for one in read_runs(home / "demo" / "ledger.db")} == names
    assert {path.stem for path in (home / "demo" / "runs").iterdir()} == names
    assert all(json.loads(path.read_text())["trades"] for path in (home / "demo" / "runs").iterdir())
    assert [path.name for path in home.iterdir()] == ["demo"]
    commands = [shlex.split(line) for line in printed.out.split("Next:\n")[1].splitlines()[:3]]
    assert [Path(command[0]).name for command in commands] == ["workstation"] * 3
    assert [run(*command[1:]) for command in commands] == [0, 0, 0]


def test_without_a_checkout_the_sample_is_generated_once(tmp_path: Path) -> None:
    made: list[Path] = []

    def generate(folder: Path) -> None:
        folder.mkdir()
        made.append(folder)

    stores = [sample_history(tmp_path / "history", tmp_path / "no-checkout", generate) for _ in range(2)]
    assert [store.root for store in stores] == [tmp_path / "history"] * 2
    assert len(made) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["history"]


def test_a_sample_that_was_cut_off_is_begun_anew(tmp_path: Path) -> None:
    (tmp_path / "history.unfinished").mkdir()
    (tmp_path / "history.unfinished" / "half").write_text("")
    sample_history(tmp_path / "history", tmp_path / "no-checkout", Path.mkdir)
    assert list((tmp_path / "history").iterdir()) == []


def test_the_generator_is_that_of_the_sample() -> None:
    assert sample_history.__defaults__ is not None and sample_history.__defaults__[1] is write_sample


@pytest.mark.parametrize(("options", "folder"), [(("--replay",), "demo"), ((), "demo/live")])
def test_an_unwritable_home_is_a_sentence(
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    options: tuple[str, ...],
    folder: str,
) -> None:
    (home / "file").write_text("")
    monkeypatch.setenv("WORKSTATION_HOME", str(home / "file"))
    assert refusal(capsys, "demo", *options).startswith(f"folder {home / 'file' / folder}: cannot be made: ")
