"""The engine from another process, in the words of Control: a notebook, the dashboard, the command line.

import workstation as ws

engine = ws.connect()
engine.sessions()
for event in engine.events("order_filled"):
    ...
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx
from pydantic import TypeAdapter, ValidationError

from workstation.client.access import read_token
from workstation.client.collection import CollectionDetail, CollectionRequest, CollectionView
from workstation.client.control import USUAL_INTERVAL, USUAL_PAGE
from workstation.client.declaration import SESSION_NAME, SessionDeclaration
from workstation.client.frames import Gap
from workstation.client.jobs import JOB_NAME, JobDetail, JobRequest, JobView
from workstation.client.kill import KillOrder, KillReset, KillView
from workstation.client.messages import (
    BarsView,
    BookView,
    FeedView,
    GroupView,
    Health,
    InstrumentView,
    OpportunityView,
    OrderView,
    PositionView,
    QuoteView,
    SessionDetail,
    SessionSummary,
    SignalView,
    SpreadView,
    StreamEvent,
)
from workstation.client.now import SessionNow
from workstation.client.problem import Problem, error_of
from workstation.client.stream import StreamState, listen
from workstation.client.ticket import OrderTicket, Placed, RefusalView
from workstation.config.loading import load_configuration
from workstation.errors import AccessRefused, BadInput, EngineUnreachable, OperatorError, OrderRefused, WorkstationError
from workstation.history.collection import checked_name

TIMEOUT_S = 10.0
START_ONE = "start the engine, or look at api.host and api.port in the settings"

Answer = TypeVar("Answer")


class Client:
    """Raises what the engine raised, with its message; EngineUnreachable where none answers. The journal notes `by`."""

    def __init__(
        self,
        url: str,
        token: str,
        *,
        by: str = "api",
        timeout_s: float = TIMEOUT_S,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        if not re.fullmatch(r"https?://[^/\s?#@]+", url):
            raise BadInput(f"url {url!r}: expected the engine's address, such as http://127.0.0.1:8790")
        self.url, self._token = url, token
        headers = {"Authorization": f"Bearer {token}", "Workstation-Client": by}
        # a proxy of the environment would be shown the token
        self._http = httpx.Client(
            base_url=url, headers=headers, timeout=timeout_s, trust_env=False, transport=transport
        )

    def __repr__(self) -> str:
        return f"Client({self.url!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._http.close()

    def health(self) -> Health:
        return self._get(Health, "/health/details")

    def reset_feed(self, venue: str, by: str | None = None) -> FeedView:
        """Closes its circuit breaker and tries again now; the end of a ban is waited for still."""
        return self._change(FeedView, "POST", f"/feeds/{_word(venue, 'venue')}/reset", by)

    def sessions(self) -> Sequence[SessionSummary]:
        return self._get(tuple[SessionSummary, ...], "/sessions")

    def session(self, session: str) -> SessionDetail:
        return self._get(SessionDetail, f"/sessions/{_segment(session)}")

    def start_session(self, declaration: SessionDeclaration, by: str | None = None) -> SessionSummary:
        return self._post("/sessions", declaration.model_dump(mode="json"), by)

    def pause_session(self, session: str, by: str | None = None, reason: str = "") -> SessionSummary:
        return self._post(f"/sessions/{_segment(session)}/pause", {"reason": reason}, by)

    def resume_session(self, session: str, by: str | None = None) -> SessionSummary:
        return self._post(f"/sessions/{_segment(session)}/resume", None, by)

    def stop_session(self, session: str, by: str | None = None, *, flatten: bool = False) -> SessionSummary:
        return self._post(f"/sessions/{_segment(session)}/stop", {"flatten": flatten}, by)

    def orders(
        self,
        session: str | None = None,
        *,
        open_only: bool = False,
        limit: int = USUAL_PAGE,
        after: str | None = None,
    ) -> Sequence[OrderView]:
        """The last `limit` (5,000 at most), oldest first; with `after`, the first behind that `client_order_id`, ""
        being the oldest: so all can be read, page by page."""
        asked = {"session": session, "open_only": open_only or None, "limit": limit, "after": after}
        return self._get(tuple[OrderView, ...], "/orders", **asked)

    def positions(self, session: str | None = None) -> Sequence[PositionView]:
        return self._get(tuple[PositionView, ...], "/positions", session=session)

    def groups(self, session: str | None = None) -> Sequence[GroupView]:
        return self._get(tuple[GroupView, ...], "/groups", session=session)

    def signals(
        self, session: str | None = None, *, limit: int = USUAL_PAGE, after: str | None = None
    ) -> Sequence[SignalView]:
        """As `orders`, `after` being a `signal`."""
        return self._get(tuple[SignalView, ...], "/signals", session=session, limit=limit, after=after)

    def spreads(self, symbol: str | None = None) -> Sequence[SpreadView]:
        return self._get(tuple[SpreadView, ...], "/spreads", symbol=symbol)

    def opportunities(self, symbol: str | None = None, *, limit: int = USUAL_PAGE) -> Sequence[OpportunityView]:
        """The last `limit`: those that closed, in earlier lives of the engine too, by their closing, then those that
        last."""
        return self._get(tuple[OpportunityView, ...], "/opportunities", symbol=symbol, limit=limit)

    def quotes(self, symbol: str | None = None) -> Sequence[QuoteView]:
        return self._get(tuple[QuoteView, ...], "/quotes", symbol=symbol)

    def book(self, venue: str, symbol: str) -> BookView:
        """Its last order book, to the depth of the setting engine.book_levels."""
        return self._get(BookView, "/books", venue=venue, symbol=symbol)

    def instruments(self) -> Sequence[InstrumentView]:
        """All that the engine watches; pages write prices and quantities by it."""
        return self._get(tuple[InstrumentView, ...], "/instruments")

    def bars(self, venue: str, symbol: str, interval: str = USUAL_INTERVAL, limit: int = USUAL_PAGE) -> BarsView:
        """The last `limit` closed bars (5,000 at most), oldest first, as columns, and the one in the making."""
        return self._get(BarsView, "/bars", venue=venue, symbol=symbol, interval=interval, limit=limit)

    def session_now(self, session: str) -> SessionNow:
        """What it holds, waits for, and is held back by."""
        return self._get(SessionNow, f"/sessions/{_segment(session)}/now")

    def place_order(self, ticket: OrderTicket, by: str | None = None) -> Placed:
        """The order, or why risk refused it."""
        try:
            body = ticket.model_dump(mode="json")
            return Placed(order=self._change(OrderView, "POST", "/orders", by, json=body))
        except OrderRefused as refused:
            if refused.refusal is None:
                raise
            return Placed(refusal=RefusalView.model_validate(refused.refusal))

    def cancel_order(self, client_order_id: str, by: str | None = None) -> OrderView:
        """Of an entry that waits."""
        return self._change(OrderView, "DELETE", f"/orders/{_word(client_order_id, 'order')}", by)

    def close_group(self, group: str, by: str | None = None, session: str | None = None) -> GroupView:
        """At the market; `session` where several have a group of that name."""
        path, body = f"/groups/{_word(group, 'group')}/close", {"session": session}
        return self._change(GroupView, "POST", path, by, json=body)

    def close_position(self, session: str, venue: str, symbol: str, by: str | None = None) -> Sequence[GroupView]:
        """Every group with a leg there, at the market."""
        body = {"session": session, "venue": venue, "symbol": symbol}
        return self._change(tuple[GroupView, ...], "POST", "/positions/close", by, json=body)

    def kill_state(self) -> KillView:
        return self._get(KillView, "/kill")

    def kill(self, order: KillOrder | None = None, by: str | None = None) -> KillView:
        """Nothing is opened any more; by default in every session, and what is open stays open."""
        asked = KillOrder() if order is None else order
        return self._change(KillView, "POST", "/kill", by, json=asked.model_dump(mode="json"))

    def lift_kill(self, reset: KillReset, by: str | None = None) -> KillView:
        return self._change(KillView, "DELETE", "/kill", by, json=reset.model_dump(mode="json"))

    def jobs(self) -> Sequence[JobView]:
        return self._get(tuple[JobView, ...], "/jobs")

    def job(self, job: str) -> JobDetail:
        return self._get(JobDetail, f"/jobs/{_job_segment(job)}")

    def start_job(self, request: JobRequest, by: str | None = None) -> JobView:
        return self._change(JobView, "POST", "/jobs", by, json=request.model_dump(mode="json"))

    def cancel_job(self, job: str, by: str | None = None) -> JobView:
        """Returns when its process has ended."""
        return self._change(JobView, "DELETE", f"/jobs/{_job_segment(job)}", by)

    def collections(self) -> Sequence[CollectionView]:
        """Those that run and those that ended, by their beginning."""
        return self._get(tuple[CollectionView, ...], "/collections")

    def collection(self, name: str) -> CollectionDetail:
        return self._get(CollectionDetail, f"/collections/{checked_name(name)}")

    def start_collection(self, request: CollectionRequest, by: str | None = None) -> CollectionView:
        """Recording when it returns."""
        return self._change(CollectionView, "POST", "/collections", by, json=request.model_dump(mode="json"))

    def stop_collection(self, name: str, by: str | None = None) -> CollectionView:
        """Its rows are on the disk when it returns."""
        return self._change(CollectionView, "POST", f"/collections/{checked_name(name)}/stop", by)

    def events(
        self,
        *topics: str,
        symbols: Iterable[str] | None = None,
        session: str | None = None,
        on_gap: Callable[[Gap], None] | None = None,
        on_state: Callable[[StreamState], None] | None = None,
    ) -> Iterator[StreamEvent]:
        """The event stream, all topics where none is named; it reconnects and goes on by itself until closed."""
        return listen(self.url, self._token, topics, symbols=symbols, session=session, on_gap=on_gap, on_state=on_state)

    def _get(self, kind: type[Answer], path: str, **query: Any) -> Answer:
        asked = {name: value for name, value in query.items() if value is not None}
        return self._parsed(kind, self._ask("GET", path, params=asked))

    def _post(self, path: str, body: Mapping[str, Any] | None, by: str | None) -> SessionSummary:
        return self._change(SessionSummary, "POST", path, by, json=body)

    def _change(self, kind: type[Answer], method: str, path: str, by: str | None, **request: Any) -> Answer:
        headers = {} if by is None else {"Workstation-Client": by}
        return self._parsed(kind, self._ask(method, path, headers=headers, **request))

    def _ask(self, method: str, path: str, **request: Any) -> bytes:
        try:
            response = self._http.request(method, path, **request)
        except UnicodeEncodeError as error:
            raise BadInput(f"{error.object!r}: expected text that UTF-8 and a header can hold") from error
        except httpx.ConnectError as error:
            raise EngineUnreachable(f"no engine answers at {self.url}: {START_ONE}") from error
        except httpx.TimeoutException as error:
            raise EngineUnreachable(f"the engine at {self.url} gave no answer in time to {method} {path}") from error
        except httpx.HTTPError as error:
            raise EngineUnreachable(f"the engine at {self.url} broke off {method} {path}: {error}") from error
        if response.is_success:
            return response.content
        raise self._refusal(response)

    def _refusal(self, response: httpx.Response) -> WorkstationError:
        try:
            return error_of(Problem.model_validate_json(response.content))
        except ValidationError:
            return self._stranger(f"status {response.status_code}")

    def _parsed(self, kind: type[Answer], content: bytes) -> Answer:
        try:
            return TypeAdapter(kind).validate_json(content)
        except ValidationError as error:
            raise self._stranger(f"{error.error_count()} fields are not as this version knows them") from error

    def _stranger(self, why: str) -> OperatorError:
        return OperatorError(f"what answers at {self.url} is no engine of this version ({why}): {START_ONE}")


def connect(url: str | None = None, token: str | None = None, *, by: str = "notebook") -> Client:
    """A client of the engine of the settings (`api.host`, `api.port`, the token in the home folder), seen to answer."""
    settings = load_configuration().settings
    host = f"[{settings.api.host}]" if ":" in settings.api.host else settings.api.host
    client = Client(
        f"http://{host}:{settings.api.port}" if url is None else url.rstrip("/"),
        read_token(settings.paths.home) if token is None else token,
        by=by,
    )
    try:
        client.health()
    except AccessRefused as error:
        client.close()
        raise AccessRefused(f"the engine at {client.url} belongs to another home: {error}") from error
    except WorkstationError:
        client.close()
        raise
    return client


def _segment(session: str) -> str:
    """A name as one part of a path; with a slash or dots it would ask for something else."""
    if not SESSION_NAME.fullmatch(session):
        raise BadInput(f"session {session!r}: expected a name of letters, digits, '.', '_' and '-', at most 60")
    return session


def _word(text: str, what: str) -> str:
    """An id as one part of a path."""
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,60}", text):
        raise BadInput(f"{what} {text!r}: expected an id of letters, digits, '_' and '-', at most 60")
    return text


def _job_segment(job: str) -> str:
    if not JOB_NAME.fullmatch(job):
        raise BadInput(f"job {job!r}: expected a name such as replay-7")
    return job
