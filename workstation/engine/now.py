"""What a session holds, waits for, and is held back by: made from its state when somebody looks."""

import math
from collections.abc import Iterator

from workstation.client.now import ConditionView, GuardView, SessionNow
from workstation.engine.live_session import LiveSession
from workstation.engine.views import group_views
from workstation.model.durations import MS_NS
from workstation.session.session import Session
from workstation.windows.specs import ConditionSpec, Operator


def now_of(live: LiveSession, now_ns: int) -> SessionNow:
    session = live.session
    status, reason = live.status
    return SessionNow(
        session=live.session_id,
        time_ns=now_ns,
        status=status,
        reason=reason,
        groups=tuple(group_views(session, session.state.groups.values(), now_ns)),
        conditions=tuple(_condition_view(session, one) for one in session.conditions) if live.has_market else (),
        guards=tuple(_guards(live, now_ns)),
        next_bar_ns=_next_bar_ns(session, now_ns),
    )


def _condition_view(session: Session, condition: ConditionSpec) -> ConditionView:
    value = _known(session.view.field(condition.window, condition.field.name))
    sign = 1.0 if condition.operator is Operator.ABOVE else -1.0
    return ConditionView(
        name=condition.name,
        window=condition.window,
        field=condition.field.name.lower(),
        operator=condition.operator.name.lower(),
        threshold=condition.threshold,
        rearm=condition.rearm,
        value=value,
        is_true=session.state.conditions.get(condition.name, False),
        distance=None if value is None else sign * (condition.threshold - value),
    )


def _guards(live: LiveSession, now_ns: int) -> Iterator[GuardView]:
    """What an entry would meet now, in the order in which risk asks."""
    session, state = live.session, live.session.state
    limits, on = session.settings.limits, ("off", "on")
    yield GuardView(name="session", allowed="running", figure=live.status[0], passes=live.status[0] == "running")
    flags = {"paused": state.is_paused, "lagging": state.is_lagging, "kill switch": state.killed is not None}
    for name, is_on in flags.items():
        yield GuardView(name=name, allowed="off", figure=on[is_on], passes=not is_on)
    most, is_open = limits.max_open_positions, len(state.groups)
    yield GuardView(
        name="max_open_positions",
        allowed="none" if most is None else f"at most {most}",
        figure=f"{is_open} open",
        passes=most is None or is_open < most,
    )
    oldest = limits.max_quote_age_ns
    for key in session.settings.instruments:
        seen = session.view.quoted(key, now_ns)
        yield GuardView(
            name=f"max_quote_age_ms {key}",
            allowed="none" if oldest is None else f"at most {oldest // MS_NS} ms",
            figure="no quote" if seen is None else f"age {seen.age_ns // MS_NS} ms",
            passes=seen is not None and (oldest is None or seen.age_ns <= oldest),
        )


def _next_bar_ns(session: Session, now_ns: int) -> int | None:
    """By the last bar that came, since weeks do not begin where the clock of 1970 does."""
    length = session.settings.interval_ns
    if session.bars is None or length is None:
        return None
    last = session.bars.last_seen(now_ns)
    end_ns = 0 if last is None else last[1]
    return end_ns + (max(now_ns - end_ns, 0) // length + 1) * length


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None
