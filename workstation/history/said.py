"""What the live log's writer is told between the rows: what became of some, whose they are, what was found in them, and
who wants to know how many there were."""

from collections import Counter
from concurrent.futures import Future
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from workstation.history.layout import Series
from workstation.history.live_log import Declared, Note, NoteKind
from workstation.history.opportunities import KeptOpportunity
from workstation.history.series_counts import SeriesCount
from workstation.model.market import Rows

Numbers = npt.NDArray[np.int32]


@dataclass(slots=True)
class Missed:
    """Rows that were let go, one after the other."""

    why: str
    from_ns: int
    to_ns: int
    rows: int
    rows_of: Counter[int] = field(default_factory=Counter)
    """By the code of their series, by the caller's numbers; empty where they are counted already."""

    def join(self, later: "Missed") -> bool:
        self.to_ns = later.to_ns
        self.rows += later.rows
        self.rows_of += later.rows_of
        return True

    def note(self) -> Note:
        span = {"from_ns": self.from_ns, "to_ns": self.to_ns, "rows": self.rows}
        return Note(what=NoteKind.GAP, at_ns=self.to_ns, why=self.why, **span)


def missed_rows(why: str, rows: Rows) -> Missed:
    """At least one row that is let go."""
    received = rows["ts_received"]
    return Missed(why, int(received[0]), int(received[-1]), len(rows))


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbered:
    """From here on rows bear numbers of the caller's; the log's own stand in `numbers` at these places."""

    numbers: Numbers


Counted = dict[Series, SeriesCount]
Mark = Future[Counted]
"""Is told the counts of all rows before it."""
Said = Missed | Declared | Numbered | Mark | KeptOpportunity
