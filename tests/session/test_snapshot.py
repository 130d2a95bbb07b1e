"""A snapshot made in pieces: it is of one moment, and all of it is there."""

import subprocess
import sys
from decimal import Decimal
from pathlib import Path

from tests.ledger.examples import INSTRUMENT, START_NS, USDT, VENUE, a_fact, a_fill
from workstation.model.events import BalanceSet, Event, Fact, InstrumentListed, OrderAccepted, OrderFilled
from workstation.model.ids import ClientOrderId
from workstation.session.identity import FOLDING, PACKAGE
from workstation.session.state import PIECE_ENTRIES, SessionState, fold, restore, snapshot, snapshot_pieces

ORDERS = 7 * PIECE_ENTRIES + 1
ROOT = Path(__file__).resolve().parents[2]
LOADED = (
    "import sys; import workstation.session.state; print(*(n for n in sys.modules if n.startswith('workstation.')))"
)


def facts_of(*events: Event) -> list[Fact]:
    return [Fact(event, number, START_NS) for number, event in enumerate(events)]


def a_busy_state() -> SessionState:
    balance = BalanceSet(venue=VENUE, currency=USDT, amount=Decimal(10_000))
    state = fold(facts_of(balance, InstrumentListed(instrument=INSTRUMENT)))
    return fold((a_fact(number) for number in range(ORDERS)), state)


def test_pieces_are_small_and_give_the_whole() -> None:
    state = a_busy_state()
    pieces = list(snapshot_pieces(state))
    assert b"".join(pieces) == snapshot(state) == snapshot(restore(snapshot(state)))
    assert restore(snapshot(state)).orders == state.orders
    assert max(piece.count(b'"client_order_id"') for piece in pieces) == PIECE_ENTRIES


def test_what_happens_between_two_pieces_is_not_in_the_snapshot() -> None:
    state = a_busy_state()
    before, pieces = snapshot(state), snapshot_pieces(state)
    first = next(pieces)
    accepted = (OrderAccepted(client_order_id=ClientOrderId(f"order-{number}")) for number in range(ORDERS))
    fold(facts_of(*accepted, OrderFilled(fill=a_fill())), state)
    fold([a_fact(ORDERS)], state)
    assert first + b"".join(pieces) == before
    assert snapshot(state) != before


def test_a_fold_passes_through_no_file_that_its_hash_leaves_out() -> None:
    loaded = subprocess.run([sys.executable, "-c", LOADED], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    hashed = {source.relative_to(PACKAGE) for room in FOLDING for source in PACKAGE.glob(room)}
    for name in loaded.split():
        path = Path(*name.split(".")[1:])
        assert path.with_suffix(".py") in hashed or path / "__init__.py" in hashed, name
