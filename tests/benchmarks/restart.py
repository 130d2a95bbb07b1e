"""A restart after kill -9 with a million facts in the journal: `python -m tests.benchmarks.restart [facts]`.

One session has gone round and round for more than a day: every two seconds a spread group, opened and closed. Measured
are the fold of all facts and of the tail behind a snapshot, each in a fresh process, the making of a snapshot, and
engines against simulated venues, from the start of the process on. Goal: it trades again within 10 s.
"""

import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from decimal import Decimal
from pathlib import Path

import psutil

from tests.faults.running import Engine, Venues, busy_session, until, write_configuration
from workstation.client.access import read_token
from workstation.client.client import Client
from workstation.client.messages import SessionStatus
from workstation.engine.sessions import SAVE_EVERY_FACTS
from workstation.errors import EngineUnreachable
from workstation.ledger.journal import Ledger, read_runs
from workstation.model.durations import SECOND_NS
from workstation.model.events import (
    ConditionsChanged,
    Event,
    Fact,
    GroupChanged,
    GroupOpened,
    InstrumentListed,
    OrderAccepted,
    OrderFilled,
    OrderSubmitted,
    RunStarted,
    SignalGenerated,
)
from workstation.model.group import GroupStatus, Leg, PositionGroup
from workstation.model.ids import ClientOrderId, GroupId, SessionId, SignalId, TradeId
from workstation.model.instrument import Instrument
from workstation.model.market import (
    STEP_BITS,
)
from workstation.model.order import Fill, OrderPurpose, OrderRequest, OrderType
from workstation.model.signal import Signal, SignalAction, SignalLeg
from workstation.model.units import Side
from workstation.session.manifest import RunManifest, manifest_bytes, manifest_hash, read_manifest
from workstation.session.recovery import recovered_state, saved_pieces
from workstation.session.state import SessionState, fold, restore, snapshot

SESSION = SessionId("long")
FACTS = 1_000_000
ROUND_NS = 2 * SECOND_NS
GROUP_ROUNDS = 50
PATIENCE_S = 600.0
ROUNDS = 3
SIDES = (Side.SELL, Side.BUY)
QUANTITY, PRICE, FEE = Decimal("0.001"), Decimal("60000.01"), Decimal("0.00001")
ROOT = Path(__file__).resolve().parents[2]


# -- a session's journal


def first_life(folder: Path, venues: Venues) -> RunManifest:
    """The manifest of a session that an engine started."""
    with Engine(write_configuration(folder, venues, symbols=["BTC/USDT"])) as engine, engine.client() as client:
        until(lambda: [one.state for one in client.health().feeds] == ["live"] * 2, "feeds are live")
        client.start_session(busy_session(SESSION, "nova", "orion"))
        until(lambda: client.sessions()[0].status is SessionStatus.RUNNING, "it runs")
        engine.end()
        return read_manifest(read_runs(engine.ledger)[0].manifest)


class Journaled:
    """Numbers and times of the facts to come."""

    def __init__(self, manifest: RunManifest, start_ns: int) -> None:
        self.manifest, self._now_ns, self._sequence = manifest, start_ns, 1 << STEP_BITS

    def beginning(self) -> Iterator[Fact]:
        data = manifest_bytes(self.manifest)
        yield self._fact(RunStarted(run_id=self.manifest.run_id, manifest_hash=manifest_hash(data), sequence=0))
        for instrument in self.manifest.instruments:
            yield self._fact(InstrumentListed(instrument=instrument))
        for balance in self.manifest.balances:
            yield self._fact(balance)

    def round(self, number: int) -> Iterator[Fact]:
        """A group from its signal to its last fill: 20 facts, behind rows of their own."""
        group, legs = GroupId(f"{SESSION}-{number}"), zip(self.manifest.instruments, SIDES, strict=True)
        signals = [self._signal(2 * number + turn, action) for turn, action in enumerate(SignalAction)]
        opened = PositionGroup(
            group_id=group,
            signal_id=signals[0].signal_id,
            strategy=signals[0].strategy,
            legs=tuple(Leg(instrument=one.key, side=side, quantity=QUANTITY) for one, side in legs),
            opened_ns=self._now_ns,
        )
        for turn, signal in enumerate(signals):
            self._next_row()
            yield self._fact(ConditionsChanged(changes=(("rich", not turn), ("back from rich", bool(turn)))), True)
            yield self._fact(SignalGenerated(signal=signal), True)
            closing = GroupChanged(group_id=group, status=GroupStatus.CLOSING, reason="exit signal")
            yield self._fact(closing if turn else GroupOpened(group=opened), True)
            requests = [self._request(opened, leg, is_close=bool(turn)) for leg in range(2)]
            for request in requests:
                yield self._fact(OrderSubmitted(request=request), True)
            self._next_row()
            for request in requests:
                yield self._fact(OrderAccepted(client_order_id=request.client_order_id))
                yield self._fact(OrderFilled(fill=a_fill(request, self.manifest.instruments[request.leg])))
            yield self._fact(GroupChanged(group_id=group, status=GroupStatus.CLOSED if turn else GroupStatus.OPEN))

    def _next_row(self) -> None:
        self._now_ns += ROUND_NS // 4
        self._sequence = (self._sequence >> STEP_BITS) + 20 << STEP_BITS

    def _fact(self, event: Event, is_woken: bool = False) -> Fact:
        self._sequence += 1
        decided = self._now_ns if is_woken else None
        return Fact(event, self._sequence, self._now_ns, None, decided, None, bytes(72) if is_woken else None)

    def _signal(self, number: int, action: SignalAction) -> Signal:
        legs = tuple(SignalLeg(one.key, side) for one, side in zip(self.manifest.instruments, SIDES, strict=True))
        return Signal(
            signal_id=SignalId(str(number)),
            strategy=self.manifest.session.strategy,
            action=action,
            legs=legs if action is SignalAction.ENTER else (),
        )

    def _request(self, group: PositionGroup, leg: int, *, is_close: bool) -> OrderRequest:
        instrument, purpose = self.manifest.instruments[leg], OrderPurpose.CLOSE if is_close else OrderPurpose.ENTRY
        return OrderRequest(
            client_order_id=ClientOrderId(f"{group.group_id}-{leg}-{purpose}"),
            group_id=group.group_id,
            signal_id=group.signal_id,
            leg=leg,
            purpose=purpose,
            instrument=instrument.key,
            snapshot_id=instrument.snapshot_id,
            side=SIDES[1 - leg if is_close else leg],
            type=OrderType.MARKET,
            quantity=QUANTITY,
            is_reduce_only=is_close,
            decision_price=60_000.005,
            decided_ns=self._now_ns,
        )


def a_fill(request: OrderRequest, instrument: Instrument) -> Fill:
    return Fill(
        client_order_id=request.client_order_id,
        trade_id=TradeId(f"{request.client_order_id}-0"),
        instrument=instrument.key,
        side=request.side,
        price=PRICE,
        quantity=request.quantity,
        fee=FEE,
        fee_currency=instrument.quote,
        is_maker=False,
    )


def write_journal(path: Path, manifest: RunManifest, count: int) -> tuple[SessionState, int, bytes]:
    """Some `count` facts, the last one a minute old; the state, and the snapshot of SAVE_EVERY_FACTS before the end."""
    journal = Journaled(manifest, time.time_ns() - (count // 20 + 30) * ROUND_NS)
    state, facts, number, saved, began = SessionState(), list(journal.beginning()), 0, b"", time.perf_counter()
    with Ledger.open(path) as ledger:
        ledger.begin_run(SESSION, manifest.run_id, manifest_bytes(manifest))
        while state.facts < count:
            for _ in range(GROUP_ROUNDS):
                facts += journal.round(number)
                number += 1
            ledger.append(SESSION, facts)
            fold(facts, state)
            facts = []
            if not saved and state.facts >= count - SAVE_EVERY_FACTS:
                saved = b"".join(saved_pieces(state))
                position = state.facts - 1
    took_s, size = time.perf_counter() - began, path.stat().st_size / 2**20
    print(f"  {'written':<34} {state.facts:11,} facts in {took_s:.1f} s, {size:,.0f} MB")
    return state, position, saved


# -- what is measured


def told(what: str, figure: str) -> None:
    print(f"  {what:<34} {figure}", flush=True)


def recover(path: Path) -> None:
    """What a process of its own does to have the session's state; it tells how long each part took."""
    opened_s = time.perf_counter()
    with Ledger.open(path) as ledger:
        folded_s = time.perf_counter()
        state = recovered_state(ledger, SESSION)
        ended_s = time.perf_counter()
        assert state.facts
        print(f"{folded_s - opened_s:.3f} s to open, {ended_s - folded_s:.3f} s to fold", end="")


def measure_recovery(what: str, path: Path) -> None:
    command = [sys.executable, "-m", "tests.benchmarks.restart", "recover", str(path)]
    best_s, words = float("inf"), ""
    for _ in range(ROUNDS):
        began = time.perf_counter()
        answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
        if time.perf_counter() - began < best_s:
            best_s, words = time.perf_counter() - began, answer
    told(what, f"{best_s:7.2f} s for the process: {words}")


def measure_snapshot(state: SessionState) -> None:
    times = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        data = snapshot(state)
        times.append((time.perf_counter() - began) * 1e3)
    began = time.perf_counter()
    restore(data)
    restore_ms = (time.perf_counter() - began) * 1e3
    told("snapshot", f"{len(data) / 2**20:7.1f} MB, {len(state.orders):,} orders")
    told(
        "encode, longest piece; restore", f"{min(times):7.1f} ms, {longest_piece_ms(state):.2f} ms; {restore_ms:.1f} ms"
    )


def longest_piece_ms(state: SessionState) -> float:
    """For how long the engine's loop stands still; the best of several, as others use the processor too."""
    longest = []
    for _ in range(5 * ROUNDS):
        began, times = time.perf_counter(), []
        for _ in saved_pieces(state):
            times.append(time.perf_counter() - began)
            began = time.perf_counter()
        longest.append(max(times) * 1e3)
    return min(longest)


def measure_engine(what: str, configuration: Path) -> None:
    """From the start of the process to the session's run, and to its first signal; then it is killed."""
    home, port = configuration.parent / "home", free_port()
    command = [sys.executable, "-m", "workstation", "engine", "--port", str(port), "--config", str(configuration)]
    began = time.perf_counter()
    log = configuration.parent / "engine.log"
    with log.open("a") as file:
        process = subprocess.Popen(command, cwd=ROOT, stdout=file, stderr=file)
    try:
        with Client(f"http://127.0.0.1:{port}", read_token(home), by="benchmark") as client:
            until(lambda: process.poll() is not None or does_answer(client), "it answers", PATIENCE_S)
            assert process.poll() is None, log.read_text()[-2_000:]
            answers_s = time.perf_counter() - began
            until(lambda: is_running(client), "the session runs", PATIENCE_S)
            runs_s, cpu_s = time.perf_counter() - began, sum(psutil.Process(process.pid).cpu_times()[:2])
            before = client.sessions()[0].signals
            until(lambda: client.sessions()[0].signals > before, "it trades")
            told(what, f"{answers_s:7.2f} s to answers, {runs_s:.2f} s to the run ({cpu_s:.2f} s of CPU), "
                 f"{time.perf_counter() - began:.2f} s to its first signal")  # fmt: skip
    finally:
        process.kill()
        process.wait()


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def does_answer(client: Client) -> bool:
    with suppress(EngineUnreachable):
        return client.health().started_ns > 0
    return False


def is_running(client: Client) -> bool:
    return [one.status for one in client.sessions()] == [SessionStatus.RUNNING]


def main() -> None:
    if sys.argv[1:2] == ["recover"]:
        recover(Path(sys.argv[2]))
        return
    count = int(sys.argv[1]) if sys.argv[1:] else FACTS
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with Venues(folder, "nova,orion", quotes_per_second=200) as venues:
            manifest = first_life(folder, venues)
            configuration = write_configuration(folder, venues, symbols=["BTC/USDT"])
            path = folder / "home" / "ledger.db"
            for file in path.parent.glob("ledger.db*"):
                file.unlink()
            state, position, saved = write_journal(path, manifest, count)
            measure_snapshot(state)
            measure_recovery("fold of all facts", path)
            measure_engine("engine without a snapshot", configuration)
            with Ledger.open(path) as ledger:
                ledger.save_snapshot(SESSION, position, saved).wait()
            measure_recovery("fold behind a snapshot", path)
            for _ in range(ROUNDS):
                measure_engine("engine with a snapshot, killed", configuration)


if __name__ == "__main__":
    main()
