"""Spreads and opportunities as kinds of the history: kept like any other, in live logs and files; no market rows."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.history.live import NOW_NS, a_recorder, a_registry, live_rows
from tests.history.series import BTC, DAY_START_NS, an_instrument
from workstation.errors import BadInput, HistoryMissing, ImportRefused
from workstation.history import log_file, rolling
from workstation.history.blocks import Selection
from workstation.history.columns import fields_of
from workstation.history.compact import compact_series
from workstation.history.last_opportunities import last_opportunities
from workstation.history.layout import PAIR_KINDS, HistoryKind, Series, series_of_folder
from workstation.history.live_log import LIVE_FOLDER, logs_in, read_log
from workstation.history.log_file import LogFile
from workstation.history.market_rows import Span
from workstation.history.opportunities import KeptOpportunity, opportunities_in, opportunity_tables
from workstation.history.pairs import pair_key, sides_of_pair
from workstation.history.quality import history_quality
from workstation.history.removing import remove_series
from workstation.history.rolling import roll_logs
from workstation.history.segments import SCHEMAS, Source
from workstation.history.store import HistoryStore
from workstation.model.durations import DAY_NS, MS_NS, SECOND_NS
from workstation.model.ids import Symbol, Venue
from workstation.model.instrument import InstrumentKey

NOVA, ORION = (InstrumentKey(Venue(venue), Symbol("BTC/USDT")) for venue in ("nova", "orion"))
PAIR = Series(kind=HistoryKind.OPPORTUNITIES, key=pair_key(NOVA, ORION))
SPREADS = Series(kind=HistoryKind.SPREADS, key=pair_key(NOVA, ORION))


def an_opportunity(number: int = 0, **fields: Any) -> KeptOpportunity:
    closed_ns = DAY_START_NS + number * SECOND_NS
    return KeptOpportunity(
        **({"sold": tuple(NOVA), "bought": tuple(ORION), "opened_ns": closed_ns - 300 * MS_NS, "closed_ns": closed_ns,
            "peak_ns": closed_ns - 10, "peak_bps": 3.25 + number, "quantity": 0.1, "left_bps": 1 / 3, "least_bps": 2.0,
            "least_value": 100.0, "least_ns": 250 * MS_NS, "latency_ns": 100 * MS_NS} | fields)
    )  # fmt: skip


def a_source(content: str = "one") -> Source:
    return Source(name=content, content_hash=content, written_by="test", options=None)


def kept(store: HistoryStore, series: Series = PAIR) -> list[KeptOpportunity]:
    return opportunities_in(series, store.table(series))


CURRENCY = st.text(st.characters(codec="utf-8", categories=("L", "N")), min_size=1, max_size=6)
KEYS = st.builds(
    lambda venue, base, quote: InstrumentKey(Venue(venue), Symbol(f"{base}/{quote}")),
    st.from_regex(r"[a-z0-9_-]{1,20}", fullmatch=True),
    CURRENCY,
    CURRENCY,
)


@given(a=KEYS, b=KEYS)
def test_a_pair_is_told_from_its_name_and_its_folder(a: InstrumentKey, b: InstrumentKey) -> None:
    if a == b:
        with pytest.raises(BadInput, match="both sides are the same"):
            pair_key(a, b)
        return
    assert sides_of_pair(pair_key(a, b)) == (a, b)
    series = Series(kind=HistoryKind.SPREADS, key=pair_key(a, b))
    assert series.sides == (a, b) and series_of_folder(series.folder) == series


@pytest.mark.parametrize(
    ("kind", "key", "sentence"),
    [
        (HistoryKind.OPPORTUNITIES, NOVA, "venue 'nova': expected two, such as nova~orion"),
        (HistoryKind.SPREADS, InstrumentKey(Venue("nova~nova"), NOVA.symbol), "both sides are the same instrument"),
        (HistoryKind.SPREADS, InstrumentKey(Venue("nova~../x"), NOVA.symbol), "venue '../x': expected 1 to 40"),
        (HistoryKind.QUOTES, PAIR.key, "venue 'nova~orion': expected 1 to 40"),
    ],
)
def test_a_series_has_the_key_that_its_kind_has(kind: HistoryKind, key: InstrumentKey, sentence: str) -> None:
    with pytest.raises(BadInput, match=sentence):
        Series(kind=kind, key=key)


@given(
    ways=st.lists(st.tuples(st.booleans(), st.integers(0, 5), st.none() | st.floats(-50, 50)), min_size=1, max_size=12)
)
def test_opportunities_come_back_from_their_table(ways: list[tuple[bool, int, float | None]]) -> None:
    found = [
        an_opportunity(number, left_bps=left, **({} if first else {"sold": tuple(ORION), "bought": tuple(NOVA)}))
        for first, number, left in ways
    ]
    ((series, table),) = opportunity_tables(found).items()
    assert series == PAIR
    assert opportunities_in(series, table) == sorted(found, key=lambda one: one.closed_ns)


def test_two_symbols_of_one_venue_are_told_apart() -> None:
    usdc = InstrumentKey(Venue("nova"), Symbol("BTC/USDC"))
    one = an_opportunity(bought=tuple(usdc), basis="nova:USDC/USDT")
    ((series, table),) = opportunity_tables([one]).items()
    assert (series.key.venue, series.key.symbol) == ("nova~nova", "BTC/USDC~BTC/USDT")
    assert opportunities_in(series, table) == [one]


def test_what_was_kept_before_is_not_doubled_and_is_removed_whole(tmp_path: Path) -> None:
    store = HistoryStore(tmp_path)
    found = [an_opportunity(number, left_bps=None if number % 2 else 0.5) for number in range(5)]
    written = store.write_all(opportunity_tables(found).items(), a_source())[PAIR]
    assert (written.rows_stored, kept(store)) == (5, found)
    again = store.write_all(opportunity_tables(found).items(), a_source())[PAIR]
    assert again.is_repeat
    more = [*found[3:], an_opportunity(9), an_opportunity(4, least_bps=1.0)]
    written = store.write_all(opportunity_tables(more).items(), a_source("two"))[PAIR]
    assert (written.rows_stored, written.rows_known) == (2, 2)
    assert len(kept(store)) == 7
    (dataset,) = store.datasets()
    assert (dataset.kind, dataset.venue, dataset.symbol, dataset.rows) == ("opportunities", "nova~orion", "BTC/USDT", 7)
    assert (dataset.start_ns, dataset.end_ns) == (DAY_START_NS, DAY_START_NS + 9 * SECOND_NS)
    assert [path.name for path in (tmp_path / PAIR.folder).glob("date=*")] == ["date=2024-08"]
    segment = store.segments(PAIR, Span())[0]
    assert segment.source == a_source()
    before = kept(store)
    assert compact_series(store, PAIR, now_ns=NOW_NS).rows == 7 and kept(store) == before
    remove_series(tmp_path, PAIR)
    assert store.series() == []


def test_whatever_came_first_they_are_read_by_their_closing(tmp_path: Path) -> None:
    store = HistoryStore(tmp_path)
    for number in (7, 2, 4):
        store.write_all(opportunity_tables([an_opportunity(number)]).items(), a_source(str(number)))
    assert kept(store) == [an_opportunity(2), an_opportunity(4), an_opportunity(7)]


def test_a_span_is_of_the_closing(tmp_path: Path) -> None:
    store = HistoryStore(tmp_path)
    store.write_all(opportunity_tables([an_opportunity(number) for number in range(5)]).items(), a_source())
    table = store.table(PAIR, DAY_START_NS + SECOND_NS, DAY_START_NS + 3 * SECOND_NS)
    assert [one.peak_bps for one in opportunities_in(PAIR, table)] == [4.25, 5.25]
    assert last_opportunities(store, DAY_START_NS + 4 * SECOND_NS) == [an_opportunity(4)]
    assert last_opportunities(store, DAY_START_NS + DAY_NS) == []
    with pytest.raises(HistoryMissing, match="workstation data spreads nova orion BTC/USDT"):
        store.table(SPREADS)


def test_they_are_no_market_rows(tmp_path: Path) -> None:
    store = HistoryStore(tmp_path)
    store.write_all(opportunity_tables([an_opportunity()]).items(), a_source())
    for kind in PAIR_KINDS:
        with pytest.raises(BadInput, match=f"{kind}: found between two venues, no market rows"):
            store.rows(PAIR.key, kind, 0)
        with pytest.raises(BadInput, match="no market rows"):
            Selection(key=PAIR.key, kind=kind)
        with pytest.raises(ImportRefused, match=f"then data {kind}"):
            fields_of(kind, PAIR.key)
    assert history_quality(store, now_ns=NOW_NS) == history_quality(store, now_ns=NOW_NS, series=[PAIR]) == []


def test_sql_reads_them_beside_the_rows(tmp_path: Path) -> None:
    store = HistoryStore(tmp_path)
    store.write_all(opportunity_tables([an_opportunity(1), an_opportunity(2, left_bps=None)]).items(), a_source())
    answer = store.query(
        "SELECT venue_a, venue_b, symbol_a, symbol_b, sell_at, peak_bps, left_bps FROM opportunities ORDER BY ts_closed"
    ).to_pylist()
    assert [tuple(row.values()) for row in answer] == [
        ("nova", "orion", "BTC/USDT", "BTC/USDT", "nova", 4.25, 1 / 3),
        ("nova", "orion", "BTC/USDT", "BTC/USDT", "nova", 5.25, None),
    ]
    assert store.query("SELECT count(*) AS n FROM spreads").to_pylist() == [{"n": 0}]


def test_spreads_are_kept_by_the_day_with_their_gaps(tmp_path: Path) -> None:
    store = HistoryStore(tmp_path)
    schema = SCHEMAS[HistoryKind.SPREADS]
    times = DAY_START_NS + np.arange(4) * DAY_NS // 2
    values: dict[str, Any] = {
        field.name: [0.5, None, -1.25, 1 / 3] if field.type == pa.float64() else [7] * 4 for field in schema
    }
    table = pa.table(values | {"ts_received": times, "basis": [None] * 4}, schema=schema)
    store.write(SPREADS, table, a_source())
    assert sorted(path.name for path in (tmp_path / SPREADS.folder).glob("date=*")) == [
        "date=2024-08-08", "date=2024-08-09"
    ]  # fmt: skip
    assert store.table(SPREADS).equals(table)


# -- the live log


def test_they_are_read_from_the_live_log_and_once_when_it_is_rolled(tmp_path: Path) -> None:
    store = HistoryStore(tmp_path)
    recorder = a_recorder(store, now_ns=NOW_NS)
    recorder.record(live_rows(10), a_registry())
    recorder.keep(an_opportunity(1))
    recorder.record(live_rows(10, 11), a_registry())
    recorder.keep(an_opportunity(2))
    recorder.sync()
    found = [an_opportunity(1), an_opportunity(2)]
    assert kept(store) == found and PAIR in store.series()
    assert len(store.query("SELECT * FROM opportunities")) == 2
    assert len(store.rows(BTC, HistoryKind.QUOTES, 0)) == 8
    recorder.roll()
    recorder.keep(an_opportunity(3))
    recorder.sync()
    assert kept(store) == [*found, an_opportunity(3)]
    assert store.segments(PAIR, Span())[0].source.name.startswith("live log ")
    recorder.close()
    assert kept(store) == [*found, an_opportunity(3)]
    assert logs_in(tmp_path / LIVE_FOLDER) == []


def test_what_research_kept_before_and_a_log_tells_too_is_there_once(tmp_path: Path) -> None:
    store = HistoryStore(tmp_path)
    store.write_all(opportunity_tables([an_opportunity(1)]).items(), a_source())
    recorder = a_recorder(store, now_ns=NOW_NS)
    recorder.keep(an_opportunity(1))
    recorder.keep(an_opportunity(2))
    recorder.close()
    assert kept(store) == [an_opportunity(1), an_opportunity(2)]


def test_one_that_a_full_disk_refused_is_written_when_it_takes_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = HistoryStore(tmp_path)
    recorder = a_recorder(store, now_ns=NOW_NS)
    recorder.keep(an_opportunity(1))
    recorder.sync()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(log_file.LogFile, "_write", full)
        recorder.keep(an_opportunity(2))
        recorder.record(live_rows(4), a_registry())
        recorder.keep(an_opportunity(3))
        recorder.sync()
        assert recorder.state.writer.failure is not None
    recorder.resume()
    recorder.keep(an_opportunity(4))
    recorder.sync()
    assert kept(store) == [an_opportunity(number) for number in (1, 2, 3, 4)]
    recorder.close()


def test_a_log_of_the_version_before_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_file, "FORMAT_VERSION", 1)
    recorder = a_recorder(HistoryStore(tmp_path), now_ns=NOW_NS)
    recorder.record(live_rows(6), a_registry())
    recorder.sync()
    (path,) = logs_in(tmp_path / LIVE_FOLDER)
    contents = read_log(path)
    assert contents.header is not None and contents.header.version == 1
    assert (len(contents.rows), contents.damage, contents.opportunities) == (6, None, ())
    recorder.close()


def test_a_flipped_bit_in_one_ends_what_is_valid_before_it(tmp_path: Path) -> None:
    recorder = a_recorder(HistoryStore(tmp_path), now_ns=NOW_NS)
    for number in range(3):
        recorder.keep(an_opportunity(number))
        recorder.sync()
    (path,) = logs_in(tmp_path / LIVE_FOLDER)
    content = bytearray(path.read_bytes())
    content[content.rindex(b'"peak_bps":5.25') + 3] ^= 1
    path.write_bytes(content)
    contents = read_log(path)
    assert contents.opportunities == (an_opportunity(0), an_opportunity(1)) and contents.damage is not None
    recorder.close()


def test_one_that_cannot_be_read_costs_no_other_and_is_kept_beside_the_log(tmp_path: Path) -> None:
    """As logs have them whose writer refused nothing: JSON has no word for what is not finite."""
    store = HistoryStore(tmp_path)
    log = LogFile(tmp_path / LIVE_FOLDER, 1, {0: an_instrument()}, ())
    for number, fields in enumerate(({}, {"peak_bps": float("inf")}, {"sold": ("nova", f"{'A' * 300}/USDT")}, {})):
        log.keep(an_opportunity(number, **fields))
    log.append(live_rows(1, 2))
    log.close()
    contents = read_log(log.path)
    found = [an_opportunity(0), an_opportunity(3)]
    assert (len(contents.rows), contents.opportunities, contents.damage) == (1, tuple(found), None)
    assert kept(store) == found
    (damage,) = store.recording().damages
    assert damage.startswith(f"{log.path}: 2 opportunities, byte ") and "peak_bps" in damage
    (rolled,) = roll_logs(store, [log.path]).rolled
    assert rolled.damage is not None and "2 opportunities" in rolled.damage
    assert kept(store) == found and len(store.rows(BTC, HistoryKind.QUOTES, 0)) == 1
    lines = log.path.with_name(f"{log.path.name}.damaged").read_text().splitlines()
    assert ['"peak_bps":null' in line for line in lines] == [True, False] and "A" * 300 in lines[1]


def test_a_roll_holds_no_more_locks_than_one_group_has_however_many_pairs_there_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = HistoryStore(tmp_path)
    symbols = [f"C{number}/USDT" for number in range(7)]
    log = LogFile(tmp_path / LIVE_FOLDER, 1, {}, ())
    for number, symbol in enumerate(symbols * 2):
        log.keep(an_opportunity(number, sold=("nova", symbol), bought=("orion", symbol)))
    log.close()
    together = list[int]()
    writes = HistoryStore.write_all

    def counted(self: HistoryStore, tables: Any, source: Source) -> Any:
        written = writes(self, tables, source)
        together.append(len(written))
        return written

    monkeypatch.setattr(rolling, "GROUP_SERIES", 3)
    monkeypatch.setattr(HistoryStore, "write_all", counted)
    assert roll_logs(store, [log.path]).failure is None
    assert together == [3, 3, 1]
    assert [len(kept(store, one)) for one in store.series()] == [2] * 7


def test_symbols_that_name_no_folder_together_make_no_pair() -> None:
    long_a, long_b = (
        InstrumentKey(Venue(venue), Symbol(f"{letter * 130}/USDT")) for venue, letter in (("nova", "A"), ("orion", "B"))
    )
    with pytest.raises(BadInput, match="over 200 characters together when percent-encoded"):
        pair_key(long_a, long_b)
    assert pair_key(long_a, InstrumentKey(Venue("orion"), long_a.symbol)).symbol == long_a.symbol
