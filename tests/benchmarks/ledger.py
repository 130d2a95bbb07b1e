"""How fast facts become durable and are read again: `python -m tests.benchmarks.ledger`.

A bare sqlite3 commit of the same rows is measured in the same run, turn about, as disks differ: wall time, p50 and
p99 over 2000 commits. The rest is processor time, the best of five.
"""

import sqlite3
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.ledger.examples import INSTRUMENT, KEY, RUN, SESSION, START_NS, a_fact, a_fill, a_request
from workstation.ledger.book import Book
from workstation.ledger.codec import prepare_fact
from workstation.ledger.journal import Ledger
from workstation.model.events import Event, Fact, OrderAccepted, OrderFilled, OrderSubmitted, SignalGenerated
from workstation.model.signal import Signal, SignalAction, SignalLeg
from workstation.model.units import Side

COMMITS = 2000
ROWS = 100_000
BARE = "CREATE TABLE journal (position INTEGER PRIMARY KEY, body TEXT, row BLOB, hash BLOB, id TEXT UNIQUE) STRICT"


def four_facts(number: int) -> list[Fact]:
    """A signal, its order, the acceptance and the fill."""
    request = a_request(number)
    signal = Signal(
        signal_id=request.signal_id, strategy="a", action=SignalAction.ENTER, legs=(SignalLeg(KEY, Side.BUY),)
    )
    events: list[Event] = [
        SignalGenerated(signal=signal),
        OrderSubmitted(request=request),
        OrderAccepted(client_order_id=request.client_order_id),
        OrderFilled(fill=a_fill(number)),
    ]
    return [Fact(event, number, START_NS + number, None, START_NS, None, bytes(72)) for event in events]


def best_s(work: Callable[[], object], rounds: int = 5) -> float:
    """Processor seconds of the fastest of `rounds`, so that what else runs here matters less."""
    times = []
    for _ in range(rounds):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return min(times)


def commit_latencies(ledger: Ledger, folder: Path) -> tuple[list[float], list[float]]:
    """Milliseconds of one intent through append and wait, and of the bare commit, sorted."""
    bare = sqlite3.connect(folder / "bare.sqlite", isolation_level=None)
    for statement in ("PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL", BARE):
        bare.execute(statement)
    ours, theirs = [], []
    for number in range(COMMITS):
        fact = a_fact(10_000_000 + number)
        start = time.perf_counter()
        ledger.append(SESSION, [fact]).wait()
        ours.append((time.perf_counter() - start) * 1e3)
        start = time.perf_counter()
        bare.execute("BEGIN IMMEDIATE")
        row = (number, "x" * 350, bytes(72), bytes(64), f"order-{number}")
        bare.execute("INSERT INTO journal VALUES (?, ?, ?, ?, ?)", row)
        bare.execute("COMMIT")
        theirs.append((time.perf_counter() - start) * 1e3)
    bare.close()
    return sorted(ours), sorted(theirs)


def write_all(ledger: Ledger) -> None:
    groups = [four_facts(number) for number in range(ROWS // 4)]
    start = time.perf_counter()
    for group in groups:
        if ledger.queue_depth > 5000:
            ledger.flush()
        ledger.append(SESSION, group)
    ledger.flush()
    print(f"write {ROWS} rows         {time.perf_counter() - start:8.3f} s")


def fold(ledger: Ledger) -> None:
    book = Book()
    rules = (INSTRUMENT.kind, INSTRUMENT.quote, INSTRUMENT.base, INSTRUMENT.contract_size)
    for fact in ledger.facts(SESSION):
        if isinstance(fact.event, OrderFilled):
            book.apply_fill(fact.event.fill, *rules)


def main() -> None:
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder, Ledger.open(Path(folder) / "ledger.sqlite") as ledger:
        ledger.begin_run(SESSION, RUN, b"{}")
        for name, times in zip(("append + wait", "bare sqlite3"), commit_latencies(ledger, Path(folder)), strict=True):
            print(f"{name:22} p50 {times[COMMITS // 2]:7.3f} ms   p99 {times[COMMITS * 99 // 100]:7.3f} ms")
        facts = [fact for number in range(500) for fact in four_facts(number)]
        encode_s = best_s(lambda: [prepare_fact(fact) for fact in facts])
        print(f"encode a fact         {encode_s / len(facts) * 1e6:8.2f} µs")
        group_s = best_s(lambda: [ledger.append(SESSION, []) for _ in range(1000)])
        print(f"queue a group         {group_s / 1000 * 1e6:8.2f} µs")
        write_all(ledger)
        for name, work in (
            ("verify", lambda: sum(1 for _ in ledger.rows(SESSION))),
            ("verify and decode", lambda: sum(1 for _ in ledger.facts(SESSION))),
            ("fold the book", lambda: fold(ledger)),
        ):
            print(f"{name:21} {best_s(work):8.3f} s for {ROWS + COMMITS} rows")


if __name__ == "__main__":
    main()
