"""When the FX market trades again, to be read."""

from workstation.history.calendars import Calendar, is_open, sessions_of
from workstation.history.store import shown_time
from workstation.model.durations import DAY_NS


def closed_until(ts_ns: int) -> str | None:
    """When it opens behind the weekend; None while it is open."""
    if is_open(Calendar.FX, ts_ns):
        return None
    return shown_time(int(sessions_of(Calendar.FX, DAY_NS, ts_ns, ts_ns + 3 * DAY_NS).opens[0]))
