"""An engine without a market: sessions, orders and health in memory, and the bus; every act is counted."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

import httpx
from fastapi import FastAPI
from websockets.asyncio.client import ClientConnection, connect

from workstation.client.collection import (
    CollectionDetail,
    CollectionRequest,
    CollectionSeriesView,
    CollectionView,
)
from workstation.client.control import USUAL_INTERVAL, USUAL_PAGE
from workstation.client.declaration import Mode, SessionDeclaration
from workstation.client.jobs import DownloadJob, JobDetail, JobRequest, JobState, JobView, ReplayJob, instruments_of
from workstation.client.kill import KillOrder, KillReset, KillScope, KillView
from workstation.client.messages import (
    BarsView,
    BarView,
    BookView,
    FeedView,
    GroupView,
    Health,
    InstrumentView,
    OpportunityView,
    OrderView,
    PositionView,
    QuoteView,
    RecorderView,
    SessionDetail,
    SessionStatus,
    SessionSummary,
    SignalView,
    SpreadView,
    Topic,
)
from workstation.client.now import SessionNow
from workstation.client.ticket import OrderTicket, Placed, RefusalView
from workstation.engine.bus import Bus
from workstation.errors import (
    BadInput,
    CollectionExists,
    CollectionNotFound,
    GroupNotFound,
    HistoryMissing,
    JobNotFound,
    OrderNotFound,
    SessionExists,
    SessionNotFound,
    UnknownInstrument,
)
from workstation.history.collection import CollectionState
from workstation.server.app import create_app
from workstation.server.serve import serve
from workstation.server.settings import ServerSettings

TOKEN = "t" * 43
HOST = "http://127.0.0.1"
AUTHORIZED = {"Authorization": f"Bearer {TOKEN}"}
STARTED_NS = 1_700_000_000_000_000_000
DECLARED: Mapping[str, Any] = {
    "session": "one",
    "strategy": "ma-cross",
    "parameters": {"fast": 3, "slow": 9.5, "is_loud": True, "note": "x"},
    "venues": ["nova"],
    "symbol": "BTC/USDT",
    "interval": "1m",
    "balance": "10000.50",
}


class Desk:
    """Control in memory. `failure` is raised by the next question for positions; `acts` says what was changed."""

    def __init__(self) -> None:
        self.bus = Bus()
        self.acts: list[tuple[str, ...]] = []
        self.pages: list[tuple[int, str | None]] = []
        """What was asked of lists that grow."""
        self.kept: dict[str, SessionDetail] = {}
        self.kept_jobs: dict[str, JobDetail] = {}
        self.kept_collections: dict[str, CollectionDetail] = {}
        self.ends: list[JobDetail] = []
        """How the next jobs are seen each time one looks at them; the last word stays."""
        self.problems: tuple[str, ...] = ()
        self.failure: Exception | None = None
        self.refusal: RefusalView | None = None
        """What risk says to the next orders by hand."""
        self.tickets: list[OrderTicket] = []
        self.kills: dict[str | None, KillScope] = {}
        self.waiting: list[int] = []
        """How many entries wait at the next kills."""

    def health(self) -> Health:
        return Health(
            version="1", started_ns=STARTED_NS, now_ns=STARTED_NS + 1, problems=self.problems,
            feeds=(FeedView(venue="nova", exchange="binance", state="live", reason="", since_ns=1, until_ns=None,
                            symbols=2, stale=("A/B",), messages=7, reconnects=1, rejected=0),),
            recorder=RecorderView(state="recording", rows=5, bytes=9, lag_ms=1.5, failure=None, last_gap_ns=None),
            rows=12, rows_per_second=1.0, waiting=0, dropped=0, conflated=0, rejected=0, loop_lag_ms_p99=0.5,
            journal_lag_ms=0.0, journal_rows=3, sessions=len(self.kept), memory_mb=1.0, clock_drift_ms=0.0,
        )  # fmt: skip

    def sessions(self) -> Sequence[SessionSummary]:
        return [SessionSummary.model_validate(summary_of(detail)) for detail in self.kept.values()]

    def session(self, session: str) -> SessionDetail:
        if session not in self.kept:
            raise SessionNotFound(f"session {session}: there is none; {', '.join(self.kept) or 'no session'} is there")
        return self.kept[session]

    async def start_session(self, declaration: SessionDeclaration, by: str) -> SessionSummary:
        if declaration.session in self.kept:
            raise SessionExists(f"session {declaration.session}: it is running; choose another name")
        if declaration.strategy != "ma-cross":
            raise BadInput(f"strategy {declaration.strategy!r}: expected ma-cross")
        self.kept[declaration.session] = detail_of(declaration)
        self.acts.append(("start", declaration.session, by))
        return self._told(declaration.session)

    async def pause_session(self, session: str, by: str, reason: str = "") -> SessionSummary:
        return self._act("pause", session, by, SessionStatus.PAUSED, reason)

    async def resume_session(self, session: str, by: str) -> SessionSummary:
        return self._act("resume", session, by, SessionStatus.RUNNING, "")

    async def stop_session(self, session: str, by: str, *, flatten: bool = False) -> SessionSummary:
        return self._act("flatten" if flatten else "stop", session, by, SessionStatus.STOPPED, "")

    def orders(
        self,
        session: str | None = None,
        *,
        open_only: bool = False,
        limit: int = USUAL_PAGE,
        after: str | None = None,
    ) -> Sequence[OrderView]:
        self._require(session)
        self.pages.append((limit, after))
        found = [an_order("one", "filled"), an_order("one", "open"), an_order("two", "open")]
        return [o for o in found if session in (None, o.session) and not (open_only and o.status == "filled")]

    def positions(self, session: str | None = None) -> Sequence[PositionView]:
        if self.failure is not None:
            raise self.failure
        self._require(session)
        return [
            PositionView(session="one", venue="nova", symbol="BTC/USDT", quantity=Decimal("-0.10"), average_price=None,
                         mark=None, unrealized_pnl=None, realized_pnl=Decimal("1.25"), fees={"USDT": Decimal("0.1")})
        ]  # fmt: skip

    def groups(self, session: str | None = None) -> Sequence[GroupView]:
        self._require(session)
        return [GroupView(group="g", session="one", strategy="ma-cross", status="open", legs=("buy 1 nova:A/B",),
                          opened_ns=5, reason="")]  # fmt: skip

    def signals(
        self, session: str | None = None, *, limit: int = USUAL_PAGE, after: str | None = None
    ) -> Sequence[SignalView]:
        self._require(session)
        self.pages.append((limit, after))
        return [SignalView(signal="s", session="one", strategy="ma-cross", action="open", legs=(), reason="up",
                           time_ns=5, refusal=None)]  # fmt: skip

    def spreads(self, symbol: str | None = None) -> Sequence[SpreadView]:
        unknown = dict.fromkeys(SpreadView.model_fields)
        named = {"symbol": symbol or "BTC/USDT", "venue_a": "nova", "venue_b": "orion", "spread_bps": 1.5}
        named["symbol_b"] = named["symbol"]
        return [SpreadView.model_validate(unknown | named | {"points": 3, "is_truncated": False})]

    def opportunities(self, symbol: str | None = None, *, limit: int = USUAL_PAGE) -> Sequence[OpportunityView]:
        self.pages.append((limit, None))
        return [
            OpportunityView(symbol=symbol or "BTC/USDT", sell_at="nova", buy_at="orion",
                            buy_symbol=symbol or "BTC/USDT", basis=None, opened_ns=5, closed_ns=None,
                            peak_ns=6, peak_bps=2.5, quantity=0.5, left_bps=None)
        ]  # fmt: skip

    def quotes(self, symbol: str | None = None) -> Sequence[QuoteView]:
        unknown = dict.fromkeys(QuoteView.model_fields)
        return [QuoteView.model_validate(unknown | {"venue": "nova", "symbol": symbol or "BTC/USDT", "bid": 100.5})]

    def instruments(self) -> Sequence[InstrumentView]:
        return [
            InstrumentView(venue="nova", symbol="BTC/USDT", kind="spot", base="BTC", quote="USDT",
                           tick_size=Decimal("0.10"), lot_size=Decimal("0.001"), min_quantity=Decimal("0.001"),
                           min_notional=Decimal(5), contract_size=Decimal(1), maker_fee_rate=Decimal("0.0002"),
                           taker_fee_rate=Decimal("0.0005"), price_decimals=1, quantity_decimals=3)
        ]  # fmt: skip

    async def reset_feed(self, venue: str, by: str) -> FeedView:
        if venue != "nova":
            raise BadInput(f"venue {venue!r}: expected one of the engine's: nova")
        self.acts.append(("reset feed", venue, by))
        return self.health().feeds[0]

    def book(self, venue: str, symbol: str) -> BookView:
        if venue != "nova":
            raise UnknownInstrument(f"instrument {venue}:{symbol}: not in the registry (known: nova:BTC/USDT)")
        return BookView(venue=venue, symbol=symbol, bids=((100.5, 2.0), (100.4, 3.0)), asks=((100.6, 1.0),),
                        ts_event=None, ts_received=STARTED_NS, age_ms=3.5)  # fmt: skip

    async def bars(self, venue: str, symbol: str, interval: str = USUAL_INTERVAL, limit: int = USUAL_PAGE) -> BarsView:
        self.pages.append((limit, None))
        if venue != "nova":
            raise UnknownInstrument(f"instrument {venue}:{symbol}: not in the registry (known: nova:BTC/USDT)")
        forming = BarView(ts_open=STARTED_NS, open=1.0, high=2.0, low=0.5, close=1.5, volume=0.1)
        columns = {name: [1.5, 2.5] for name in ("open", "high", "low", "close", "volume")}
        return BarsView(venue=venue, symbol=symbol, interval=interval, ts_open=[1, 2], forming=forming, problem="",
                        **columns)  # fmt: skip

    def session_now(self, session: str) -> SessionNow:
        self._require(session)
        return SessionNow(session=session, time_ns=STARTED_NS, status=SessionStatus.RUNNING, reason="",
                          groups=tuple(self.groups()), conditions=(), guards=(), next_bar_ns=None)  # fmt: skip

    async def place_order(self, ticket: OrderTicket, by: str) -> Placed:
        self._require(ticket.session)
        if self.refusal is not None:
            return Placed(refusal=self.refusal)
        self.tickets.append(ticket)
        self.acts.append(("place", ticket.session, by))
        return Placed(order=an_order(ticket.session, "submitted"))

    async def cancel_order(self, client_order_id: str, by: str) -> OrderView:
        if client_order_id != "one-open":
            raise OrderNotFound(f"order {client_order_id}: no session knows it")
        self.acts.append(("cancel order", client_order_id, by))
        return an_order("one", "open")

    async def close_group(self, group: str, by: str, session: str | None = None) -> GroupView:
        if group != "g":
            raise GroupNotFound(f"group {group}: not open (open are: g of one)")
        self.acts.append(("close group", group if session is None else f"{group} of {session}", by))
        return self.groups()[0]

    async def close_position(self, session: str, venue: str, symbol: str, by: str) -> Sequence[GroupView]:
        self._require(session)
        self.acts.append(("close position", f"{session} {venue}:{symbol}", by))
        return self.groups()

    def kill_state(self) -> KillView:
        return KillView(is_on=bool(self.kills), scopes=tuple(self.kills.values()))

    async def kill(self, order: KillOrder, by: str) -> KillView:
        self._require(order.session)
        waiting = self.waiting.pop(0) if self.waiting else 0
        self.kills[order.session] = KillScope(session=order.session, by=by, since_ns=STARTED_NS, reason=order.reason,
                                              flatten=order.flatten, is_durable=True, waiting_entries=waiting,
                                              open_groups=1)  # fmt: skip
        self.acts.append(("kill", order.session or "all", by))
        return self.kill_state()

    async def lift_kill(self, reset: KillReset, by: str) -> KillView:
        self.kills.pop(reset.session, None)
        self.acts.append(("lift", reset.session or "all", by))
        return self.kill_state()

    def jobs(self) -> Sequence[JobView]:
        return [JobView.model_validate({name: getattr(one, name) for name in JobView.model_fields})
                for one in self.kept_jobs.values()]  # fmt: skip

    def job(self, job: str) -> JobDetail:
        if job not in self.kept_jobs:
            raise JobNotFound(f"job {job}: there is none; no job yet")
        if self.ends:
            self.kept_jobs[job] = self.ends.pop(0)
        return self.kept_jobs[job]

    async def start_job(self, request: JobRequest, by: str) -> JobView:
        if request.symbol.startswith("GONE"):
            raise HistoryMissing(f"bars nova:{request.symbol} 1m: not stored; no bars are stored")
        name = f"{request.kind}-{len(self.kept_jobs) + 1}"
        self.kept_jobs[name] = a_job(name, request, by=by)
        self.acts.append(("job", name, by))
        return self.jobs()[-1]

    async def cancel_job(self, job: str, by: str) -> JobView:
        changes = {"state": JobState.CANCELLED, "reason": f"cancelled by {by}", "ended_ns": STARTED_NS + 9}
        self.kept_jobs[job] = self.job(job).model_copy(update=changes)
        self.acts.append(("cancel", job, by))
        return next(one for one in self.jobs() if one.job == job)

    def collections(self) -> Sequence[CollectionView]:
        return [CollectionView.model_validate({name: getattr(one, name) for name in CollectionView.model_fields})
                for one in self.kept_collections.values()]  # fmt: skip

    def collection(self, name: str) -> CollectionDetail:
        if name not in self.kept_collections:
            raise CollectionNotFound(f"collection {name}: there is none; none")
        return self.kept_collections[name]

    async def start_collection(self, request: CollectionRequest, by: str) -> CollectionView:
        name = request.name or f"collection-{len(self.kept_collections) + 1}"
        if name in self.kept_collections:
            raise CollectionExists(f"collection {name}: there is one of that name; expected another name")
        self.kept_collections[name] = a_collection(name, request, by=by)
        self.acts.append(("collect", name, by))
        return self.collections()[-1]

    async def stop_collection(self, name: str, by: str) -> CollectionView:
        changes = {"state": CollectionState.STOPPED, "reason": f"by {by}", "ended_ns": STARTED_NS + 9}
        self.kept_collections[name] = self.collection(name).model_copy(update=changes)
        self.acts.append(("stop collection", name, by))
        return next(one for one in self.collections() if one.name == name)

    def publish(self, number: int = 1, topic: Topic = Topic.ORDER_FILLED, **about: Any) -> None:
        for place in range(number):
            self.bus.publish(topic, {"place": place}, time_ns=STARTED_NS, **about)

    def _act(self, verb: str, session: str, by: str, status: SessionStatus, reason: str) -> SessionSummary:
        self.kept[session] = self.session(session).model_copy(update={"status": status, "reason": reason})
        self.acts.append((verb, session, by))
        return self._told(session)

    def _told(self, session: str) -> SessionSummary:
        return SessionSummary.model_validate(summary_of(self.kept[session]))

    def _require(self, session: str | None) -> None:
        if session is not None:
            self.session(session)


def summary_of(detail: SessionDetail) -> dict[str, Any]:
    return {name: getattr(detail, name) for name in SessionSummary.model_fields}


def detail_of(declared: SessionDeclaration) -> SessionDetail:
    return SessionDetail(
        session=declared.session, mode=Mode.PAPER, strategy=declared.strategy, status=SessionStatus.RUNNING, reason="",
        instruments=tuple(f"{venue}:{declared.symbol}" for venue in declared.venues), run=f"{declared.session}.1",
        started_ns=STARTED_NS, currency="USDT", opening_equity=declared.balance, equity=None, realized_pnl=Decimal(0),
        fees={}, open_groups=0, open_orders=0, signals=0, refusals=0, facts=4, gap_ns=(1, 2),
        parameters=declared.parameters, sizing=declared.sizing, limits={}, runs=("one.1",), interval=declared.interval,
    )  # fmt: skip


def a_job(name: str, request: JobRequest, **fields: Any) -> JobDetail:
    return JobDetail.model_validate({
        "job": name, "kind": request.kind, "instruments": instruments_of(request),
        "strategy": None if isinstance(request, DownloadJob) else request.strategy,
        "series": request.series if isinstance(request, DownloadJob) else None,
        "start_ns": request.start_ns, "end_ns": request.end_ns,
        "session": request.session if isinstance(request, ReplayJob) else None, "state": JobState.RUNNING,
        "reason": "", "by": "test", "asked_ns": STARTED_NS, "started_ns": STARTED_NS, "folder": f"/home/jobs/{name}",
        "request": request} | fields)  # fmt: skip


def a_collection(name: str, request: CollectionRequest, **fields: Any) -> CollectionDetail:
    venues = request.venues or ("nova",)
    series = CollectionSeriesView(kind="quotes", venue=venues[0], symbol=request.symbols[0], interval=None, rows=7,
                                  dropped=1, last_ns=STARTED_NS + 5)  # fmt: skip
    return CollectionDetail.model_validate({
        "name": name, "state": CollectionState.RUNNING, "reason": "", "by": "test", "is_of_engine": True,
        "instruments": tuple(f"{venue}:{symbol}" for venue in venues for symbol in request.symbols),
        "venues": venues, "symbols": request.symbols, "trades": True, "intervals": ("1m",), "funding": False,
        "book_levels": 0, "begun_ns": STARTED_NS,
        "planned_end_ns": None if request.seconds is None else STARTED_NS + round(request.seconds * 10**9),
        "ended_ns": None, "rows": 7, "dropped": 1, "conflated": 0, "last_ns": STARTED_NS + 5, "gap_count": 0,
        "series": (series,), "gaps": ()} | fields)  # fmt: skip


def an_order(session: str, status: str) -> OrderView:
    return OrderView(
        client_order_id=f"{session}-{status}", session=session, group="g", venue="nova", symbol="BTC/USDT", side="buy",
        type="limit", purpose="entry", status=status, quantity=Decimal("0.30"), filled_quantity=Decimal(0),
        average_price=None, limit_price=Decimal("100.10"), stop_price=None, decision_price=100.0, slippage_bps=None,
        decided_ns=5, updated_ns=6, alarm=None,
    )  # fmt: skip


def an_app(desk: Desk, **settings: Any) -> FastAPI:
    return create_app(desk, desk.bus, TOKEN, ServerSettings(**settings), lambda: 0.0)


@contextlib.asynccontextmanager
async def asking(app: FastAPI, **headers: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client in the same process, with the token."""
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=HOST, headers=AUTHORIZED | headers) as client:
        yield client


@contextlib.asynccontextmanager
async def served(app: FastAPI, port: int = 0, **options: Any) -> AsyncIterator[int]:
    """The app on a real port of loopback."""
    ready: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    serving = asyncio.create_task(serve(app, "127.0.0.1", port, on_ready=ready.set_result, **options))
    await asyncio.wait((ready, serving), return_when=asyncio.FIRST_COMPLETED)
    try:
        yield ready.result()
    finally:
        serving.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await serving


class Listening:
    """A client of the stream that says what a test says, and parses what comes."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket

    async def say(self, message: object) -> None:
        await self.socket.send(message if isinstance(message, str | bytes) else json.dumps(message))

    async def hear(self) -> dict[str, Any]:
        text = await asyncio.wait_for(self.socket.recv(), 10)
        heard: dict[str, Any] = json.loads(text)
        return heard

    async def subscribe(self, *topics: str, **more: Any) -> dict[str, Any]:
        wanted = {"topics": topics or ("order_filled",)}
        wanted |= {name: more.pop(name) for name in ("symbols", "session") if name in more}
        await self.say({"subscribe": wanted, **more})
        told: dict[str, Any] = (await self.hear())["subscribed"]
        return told

    async def places(self, number: int) -> list[int]:
        """The events that come next, by the place that Desk.publish gave them."""
        return [(await self.hear())["data"]["place"] for _ in range(number)]

    async def closed(self) -> tuple[int, str]:
        """The code and reason that the other side closes with."""
        await asyncio.wait_for(self.socket.wait_closed(), 10)
        return self.socket.close_code or 0, self.socket.close_reason or ""


@contextlib.asynccontextmanager
async def listening(port: int, headers: Mapping[str, str] = AUTHORIZED, **options: Any) -> AsyncIterator[Listening]:
    address = f"ws://127.0.0.1:{port}/stream"
    async with connect(address, additional_headers=headers, compression=None, proxy=None, **options) as socket:
        yield Listening(socket)
