"""A crowd of spread sessions on one market: one a symbol, each with its paper venue."""

from collections.abc import Sequence
from decimal import Decimal

from workstation.model.events import BalanceSet, Fact, InstrumentListed, RunStarted
from workstation.model.ids import Currency, RunId, SessionId
from workstation.model.instrument import InstrumentKey
from workstation.model.market import Rows
from workstation.session.market import Market
from workstation.session.outbox import WriteBehindOutbox
from workstation.session.paper_host import PaperHost
from workstation.session.session import Session
from workstation.session.settings import SessionSettings
from workstation.session.state import SessionState
from workstation.strategies.spread_reversion import SpreadReversion
from workstation.trading.limits import NO_LIMITS
from workstation.trading.paper import PaperSettings
from workstation.trading.sizing import SizingMode, SizingSettings

USDT = Currency("USDT")


class Crowd:
    """Sessions on consecutive pairs of `keys`; counts wakes, orders and facts. Facts are not kept."""

    def __init__(self, market: Market, keys: Sequence[InstrumentKey], entry_z: float = 2.9) -> None:
        self.market = market
        self.wakes = self.facts = self._orders_before = 0
        self.hosts = [
            self._host(number, (keys[2 * number], keys[2 * number + 1]), entry_z) for number in range(len(keys) // 2)
        ]

    def reset(self) -> None:
        self.wakes = self.facts = 0
        self._orders_before += self.orders

    def append(self, session_id: SessionId, facts: Sequence[Fact]) -> "Crowd":
        self.facts += len(facts)
        return self

    @property
    def orders(self) -> int:
        """Orders submitted since the last reset; none is retired in so short a time."""
        return sum(len(host.session.state.orders) for host in self.hosts) - self._orders_before

    def wait(self, timeout_s: float | None = None) -> None:
        """Nothing is written."""

    def take(self, rows: Rows) -> None:
        for wake in self.market.advance(rows):
            self.wakes += 1
            wake.subscriber.handle(wake)

    def _host(self, number: int, pair: tuple[InstrumentKey, InstrumentKey], entry_z: float) -> PaperHost:
        strategy = SpreadReversion(entry_z=entry_z, exit_z=0.0, min_net_edge_bps=None)
        settings = SessionSettings(
            session_id=SessionId(f"s{number}"),
            strategy=strategy.name_in_cli,
            instruments=pair,
            currency=USDT,
            sizing=SizingSettings(mode=SizingMode.FIXED_NOTIONAL, value=500.0),
            limits=NO_LIMITS,
        )
        host = PaperHost(
            self.market, Session(settings, strategy, self.market, SessionState()), PaperSettings(latency_ns=1_000_000)
        )
        host.outbox = WriteBehindOutbox(self, host)
        host.subscribe()
        now = self.market.gate.now_ns
        host.inject(RunStarted(run_id=RunId(f"s{number}.1"), manifest_hash="", sequence=0), now)
        for key in pair:
            host.inject(InstrumentListed(instrument=self.market.registry.snapshot(key)), now)
            host.inject(BalanceSet(venue=key.venue, currency=USDT, amount=Decimal(100_000)), now)
        host.recover()
        return host
