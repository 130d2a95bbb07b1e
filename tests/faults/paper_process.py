"""A process that replays and paper-trades the spread strategy, to be killed.

Every effect that leaves is appended to a file of the venue's before it is taken, as a real venue would remember it.
"""

import hashlib
import os
from decimal import Decimal
from multiprocessing.connection import Connection
from pathlib import Path

from tests.session.desks import NOVA, ORION, QUARTER, USDT
from workstation.history.store import HistoryStore
from workstation.ledger.journal import Ledger
from workstation.model.durations import SECOND_NS
from workstation.model.events import BalanceSet
from workstation.model.ids import SessionId
from workstation.ports.broker import Broker, Effect, SubmitOrder
from workstation.research.replay import ReplayRequest, replay
from workstation.session.manifest import SourceSelection
from workstation.session.recovery import recovered_state
from workstation.session.settings import SessionSettings
from workstation.session.state import snapshot
from workstation.trading.limits import NO_LIMITS
from workstation.trading.paper import PaperSettings


class VenueLog:
    """Remembers what reached the venue, in a file that outlives the process."""

    def __init__(self, path: Path, broker: Broker) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        self._broker = broker

    def send(self, effect: Effect) -> None:
        if isinstance(effect, SubmitOrder):
            request = effect.request
            os.write(self._file, f"{request.client_order_id} {request.side.value} {request.quantity}\n".encode())
        self._broker.send(effect)


def request(session_id: str) -> ReplayRequest:
    parameters = {"entry_z": 1.5, "exit_z": 0.2, "window_minutes": 1, "min_points": 5, "min_net_edge_bps": None}
    return ReplayRequest(
        session=SessionSettings(
            session_id=SessionId(session_id),
            strategy="spread-reversion",
            parameters=parameters,
            instruments=(NOVA, ORION),
            currency=USDT,
            sizing=QUARTER,
            limits=NO_LIMITS,
            entry_timeout_ns=SECOND_NS,
        ),
        paper=PaperSettings(latency_ns=50_000_000),
        balances=tuple(BalanceSet(venue=k.venue, currency=USDT, amount=Decimal(10_000)) for k in (NOVA, ORION)),
        sources=tuple(SourceSelection(key=key, kind="quotes") for key in (NOVA, ORION)),
    )


def trade(folder: Path, session_id: str, is_durable: bool, told: Connection) -> None:
    """Goes on with the session to the end of its history; tells the hash of the state it began with, and its end."""
    with Ledger.open(folder / "ledger.db") as ledger:
        state = snapshot(recovered_state(ledger, SessionId(session_id)))
        told.send(hashlib.sha256(state).hexdigest())
        replay(
            HistoryStore(folder / "history"),
            request(session_id),
            ledger=ledger,
            is_durable=is_durable,
            wrap=lambda broker: VenueLog(folder / f"{session_id}.venue", broker),
        )
    told.send("finished")
