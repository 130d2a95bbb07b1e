"""What a session holds, waits for, and is held back by, as of now."""

from workstation.client.declaration import Message
from workstation.client.messages import GroupView, SessionStatus


class ConditionView(Message):
    """What a strategy waits for."""

    name: str
    window: str
    field: str
    operator: str
    threshold: float
    rearm: float | None
    """Where it stops being true; None: at the threshold."""
    value: float | None
    """Now; None where the window does not know."""
    is_true: bool
    distance: float | None
    """How far the value is from the threshold; 0 or less once it is beyond."""


class GuardView(Message):
    """One thing that may keep the session from entering now."""

    name: str
    allowed: str
    figure: str
    passes: bool


class SessionNow(Message):
    """What a session holds, waits for, and is held back by, as of `time_ns`."""

    session: str
    time_ns: int
    status: SessionStatus
    reason: str
    groups: tuple[GroupView, ...]
    conditions: tuple[ConditionView, ...]
    """Of a strategy on quotes."""
    guards: tuple[GuardView, ...]
    next_bar_ns: int | None
    """When the bar in the making closes, of a strategy on bars."""
