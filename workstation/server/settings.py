"""How the server behaves; the defaults are for one person's programs on one machine."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """A token bucket: so many at once, so many a second in the long run."""

    per_second: float
    burst: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerSettings:
    """Bounds on what comes in, and the pace of the event stream."""

    hosts: frozenset[str] = frozenset()
    """Names in a Host header that are taken beside those of loopback."""
    origins: frozenset[str] = frozenset()
    """Pages of these origins may change things: "http://127.0.0.1:5006"."""
    most_body_bytes: int = 64 * 1024
    most_depth: int = 16
    body_timeout_s: float = 10.0
    rate: Rate = Rate(per_second=200, burst=400)
    """For a client that shows the token."""
    stranger_rate: Rate = Rate(per_second=10, burst=50)
    """For one that does not, so that it cannot guess, nor be in the way of one that does."""
    subscribe_rate: Rate = Rate(per_second=5, burst=10)
    """For one client of the stream: each looks through all events that are kept. Sooner ones wait."""
    heartbeat_s: float = 30.0
    auth_timeout_s: float = 5.0
    """For the token of a stream whose handshake had none."""
    stall_s: float = 60.0
    """A client that takes nothing for so long is let go."""
    waiting_events: int = 2_000
    """That one client of the stream may leave untaken."""
    most_clients: int = 1_200
    """Of the stream; it needs as many open sockets (`connections.MOST`)."""
    most_faults: int = 5
    """Faulty messages of one client of the stream, before it is shown the door."""
    most_frame_bytes: int = 32 * 1024
