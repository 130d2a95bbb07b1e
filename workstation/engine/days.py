"""A session's day: what trading had made when it began is journaled, so that the day's result outlives a restart.

An input of the engine's, not a deadline of the session's: a replay has none, and no silent bar is woken for it.
"""

from workstation.engine.summaries import day_of, made_of
from workstation.engine.turns import Turns
from workstation.model.events import DayOpened


def open_days(turns: Turns, now_ns: int) -> None:
    """Of every session that is served and has not seen the present day; one that cannot be priced yet waits."""
    for live in list(turns.sessions.values()):
        day, day_ns = live.session.state.day, day_of(now_ns)
        if not turns.serves(live) or (day is not None and day.day_ns >= day_ns):
            continue
        made = made_of(live, now_ns)
        if made is not None:
            turns.inject(live, DayOpened(day_ns=day_ns, made_quote=made))
