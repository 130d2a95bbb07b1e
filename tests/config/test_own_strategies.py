"""Strategies of one's own: files that are found by name, and files that say what is wrong with them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from workstation.config.own_strategies import load_own_strategies, take_in_own_strategies
from workstation.errors import BadInput
from workstation.strategies.base import STRATEGY_API, make_strategy
from workstation.strategies.catalog import STRATEGIES, OwnStrategies, known_strategies, strategy_named, take_in

GOOD = """
import numpy as np
import param

from workstation.strategies.base import BarStrategy, Signals

STRATEGY_API = 1


class Idle(BarStrategy):
    name_in_cli = "idle"
    patience = param.Integer(default=3, bounds=(1, 9), doc="of no use")

    def signals(self, bars):
        none = np.zeros(len(bars), bool)
        nan = np.full(len(bars), np.nan)
        return Signals(
            entries=none.astype(np.int8), exit_long=none, exit_short=none, stop_distance=nan, target_distance=nan
        )
"""


@pytest.fixture(autouse=True)
def nothing_is_left() -> Iterator[None]:
    yield
    take_in(OwnStrategies())


def written(folder: Path, content: str, name: str = "idle.py") -> Path:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(content)
    return folder / name


def test_a_strategy_of_a_file_is_known_by_its_name(tmp_path: Path) -> None:
    written(tmp_path, GOOD)
    found = take_in_own_strategies(tmp_path)
    assert list(found.kinds) == ["idle"] and not found.faults
    assert make_strategy(strategy_named("idle"), {"patience": 4}).parameters() == {"patience": 4}
    assert set(known_strategies()) == {*STRATEGIES, "idle"}


def test_a_folder_that_is_not_there_has_none(tmp_path: Path) -> None:
    assert not load_own_strategies(tmp_path / "nowhere").kinds


def test_a_file_runs_once_until_its_bytes_change(tmp_path: Path) -> None:
    file = written(tmp_path, GOOD + f'open({str(tmp_path / "ran")!r}, "a").write("x")\n')
    kinds = [take_in_own_strategies(tmp_path).kinds["idle"] for _ in range(3)]
    assert kinds[0] is kinds[1] is kinds[2]
    assert (tmp_path / "ran").read_text() == "x"
    file.write_text(file.read_text() + "# another word\n")
    changed = take_in_own_strategies(tmp_path).kinds["idle"]
    assert changed is not kinds[0] and changed.file_hash != kinds[0].file_hash
    assert (tmp_path / "ran").read_text() == "xx"


def test_a_file_that_is_gone_is_forgotten(tmp_path: Path) -> None:
    file = written(tmp_path, GOOD)
    take_in_own_strategies(tmp_path)
    file.unlink()
    take_in_own_strategies(tmp_path)
    with pytest.raises(BadInput, match="strategy 'idle': not known"):
        strategy_named("idle")


@pytest.mark.parametrize("name", ["_parts.py", "test_idle.py", ".hidden.py", "idle.txt"])
def test_files_that_are_none_are_left_alone(tmp_path: Path, name: str) -> None:
    written(tmp_path, "1 / 0", name)
    found = load_own_strategies(tmp_path)
    assert not found.kinds and not found.faults


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("def broken(:\n", "idle.py:1: is not Python: "),
        ("a\0b", "idle.py: is not Python: "),
        (GOOD.replace("STRATEGY_API = 1", ""), "STRATEGY_API is not given; expected the line STRATEGY_API = 1"),
        (
            GOOD.replace("STRATEGY_API = 1", "STRATEGY_API = 2"),
            r"STRATEGY_API = 2: workstation .* has 1; see the change",
        ),
        (GOOD + "\n1 / 0\n", "idle.py:21: ZeroDivisionError: division by zero"),
        (GOOD + "\nimport nothing_of_that_name\n", "idle.py:21: ModuleNotFoundError: No module named"),
        (GOOD + "\nraise SystemExit(3)\n", "idle.py:21: SystemExit: 3"),
        ("STRATEGY_API = 1\n", "has no strategy; expected a class below BarStrategy or TickStrategy"),
        (GOOD.replace('"idle"', '"Idle Hands"'), "class Idle: name_in_cli 'Idle Hands': expected a word such as"),
        (GOOD.replace('name_in_cli = "idle"', ""), "class Idle: name_in_cli None: expected a word"),
        (GOOD.replace('"idle"', '"ma-cross"'), "class Idle: name_in_cli 'ma-cross' is that of a shipped strategy"),
        (GOOD + "\n\nclass Twin(Idle):\n    pass\n", "'idle' is the name of two classes"),
    ],
)
def test_a_file_that_cannot_be_taken_in_says_why_and_keeps_no_other_from_it(
    tmp_path: Path, content: str, sentence: str
) -> None:
    written(tmp_path, content)
    written(tmp_path, GOOD.replace('"idle"', '"other"'), "other.py")
    found = take_in_own_strategies(tmp_path)
    assert list(found.kinds) == ["other"]
    with pytest.raises(BadInput, match=f"strategy 'idle': not known, .*; not loaded: .*{sentence}"):
        strategy_named("idle")
    assert found.faults[0].startswith(str(tmp_path / "idle.py"))


def test_of_two_files_with_one_name_the_first_keeps_it(tmp_path: Path) -> None:
    written(tmp_path, GOOD)
    written(tmp_path, GOOD, "later.py")
    found = load_own_strategies(tmp_path)
    assert found.files == {"idle": str(tmp_path / "idle.py")}
    assert f"'idle' is the name of a strategy in {tmp_path / 'idle.py'} too" in found.faults[0]


def test_the_version_is_asked_before_anything_runs(tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    written(tmp_path, f"STRATEGY_API = {STRATEGY_API + 1}\nopen({str(ran)!r}, 'w')\n")
    assert len(load_own_strategies(tmp_path).faults) == 1
    assert not ran.exists()


def test_classes_for_others_to_stand_on_and_imported_ones_are_no_strategies(tmp_path: Path) -> None:
    content = GOOD.replace("class Idle(", "from workstation.strategies.ma_cross import MACross\n\n\nclass _Root(")
    content += '\n\nclass Leaf(_Root):\n    name_in_cli = "leaf"\n'
    written(tmp_path, content)
    assert list(load_own_strategies(tmp_path).kinds) == ["leaf"]
