"""A strategy of one's own in the engine: found when a session starts, in the manifest, and verified by its file."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine.bench import Bench, a_bench
from tests.session.desks import random_quotes
from workstation.errors import BadInput
from workstation.ledger.journal import read_run
from workstation.model.ids import RunId
from workstation.session.manifest import read_manifest
from workstation.strategies.catalog import OwnStrategies, take_in

ROWS = random_quotes(5, 400)
CONTENT = """
from workstation.strategies.spread_reversion import SpreadReversion

STRATEGY_API = 1


class Mine(SpreadReversion):
    name_in_cli = "mine"
"""


@pytest.fixture(autouse=True)
def nothing_is_left() -> Iterator[None]:
    yield
    take_in(OwnStrategies())


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with a_bench(tmp_path / "home") as bench:
        yield bench


def test_a_file_written_while_the_engine_runs_is_found_by_the_next_session(bench: Bench) -> None:
    with pytest.raises(BadInput, match="strategy 'mine': not known"):
        bench.start("one", strategy="mine")
    folder: Path = bench.settings.paths.strategies
    folder.mkdir(parents=True)
    (folder / "mine.py").write_text(CONTENT)
    bench.start("one", strategy="mine")
    bench.play(ROWS)
    (folder / "mine.py").write_text(CONTENT + "# another word\n")
    bench.start("two", strategy="mine")
    hashes = [bench.sessions.of(name).manifest.strategy_hash for name in ("one", "two")]
    expected = [hashlib.sha256(text.encode()).hexdigest() for text in (CONTENT, CONTENT + "# another word\n")]
    assert hashes == expected
    assert read_manifest(read_run(bench.ledger.path, RunId("one.1")).manifest).strategy_hash == expected[0]
    verified = bench.verify_all()
    assert not verified["one.1"].is_same_strategy and verified["two.1"].is_same_strategy
