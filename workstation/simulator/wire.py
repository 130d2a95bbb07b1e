"""What the wire of a venue is to its host: requests in, answers and messages out, in the words of a real venue."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from workstation.model.instrument import Instrument
from workstation.simulator.bar_history import BarHistory
from workstation.simulator.exchange import Exchange
from workstation.simulator.faults import FaultKind, FaultMenu
from workstation.simulator.funding import Funding
from workstation.simulator.socket_hub import Client, Envelope, SocketHub
from workstation.simulator.stream_teller import StreamTeller


class WireRequest(NamedTuple):
    """One request by HTTP as it came; `wall_ns` is the venue's wall clock, by which signatures are judged."""

    method: str
    path: str
    query: str
    body: str
    headers: Mapping[str, str]
    """By names in lower case."""
    wall_ns: int


class Answer(NamedTuple):
    """An answer with headers of its own, or another status than 200."""

    content: Any
    headers: Mapping[str, str]
    status: int = 200


class WireError(Exception):
    """Another answer than the one that was asked for: JSON of `content`, or a text as it stands."""

    def __init__(self, content: object, status: int = 400, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(f"{status} {content}")
        self.content = content
        self.status = status
        self.headers = headers


class SocketTalk(Protocol):
    """One connection by WebSocket."""

    @property
    def envelope(self) -> Envelope | None:
        """What messages of streams are wrapped in."""
        ...

    def opened(self, client: Client) -> None:
        """The socket is open: what its address asked for begins."""
        ...

    def said(self, client: Client, text: str) -> None:
        """Answers one message."""
        ...


class Wire(Protocol):
    """One venue's protocol."""

    @property
    def streams(self) -> StreamTeller: ...

    def is_slow(self, request: WireRequest) -> bool:
        """Whether the answer may take longer than the event loop may wait; such a request changes nothing."""
        ...

    def answer(self, request: WireRequest) -> Any:
        """What JSON is made of, or that with headers, an `Answer`, or lines without end, a `LineStream`.

        Raises WireError.
        """
        ...

    def in_place(self, kind: FaultKind, seconds: float, request: WireRequest) -> WireError:
        """How this venue words a fault: BUSY_503, RATE_429, BAN_418, NOT_FOUND, UNKNOWN_504."""
        ...

    def talk(self, path: str, query: str) -> SocketTalk | None:
        """Who answers on a socket opened at this address; None where there is none."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class WireParts:
    """What a wire is made on."""

    exchange: Exchange
    histories: Mapping[str, BarHistory]
    """By market."""
    hub: SocketHub
    menu: FaultMenu
    wall_ns: Callable[[], int]
    perpetuals: Mapping[str, Funding] = field(default_factory=dict)
    """What holds each perpetual to its spot price, by market; empty where there is none."""
    keeps_fx_week: bool = False
    """Closed from Friday to Sunday 17:00 in New York, if it is a venue of currencies; else always open."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WireKind:
    """One protocol that a simulated venue may speak; `name` is what settings call the real venue."""

    name: str
    title: str
    market_name: Callable[[Instrument], str]
    ids_for_good: bool
    """Whether a client id may never be used again; else it may once its order has ended."""
    open: Callable[[WireParts], Wire]
    has_perpetuals: bool = False
    """Whether it tells of perpetuals too, and a market made for it has them beside spot."""
    has_spot: bool = True
    """Whether spot is traded there; else a market of spot is what a perpetual's index is made of, and nothing more."""
    is_fx: bool = False
    """Whether currencies are traded there instead of coins."""
