"""What waits for one client of the stream: bounded, in order, and honest about what it lost."""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Mapping

from workstation.client.frames import Gap, Wanted
from workstation.client.messages import PASSING
from workstation.engine.bus import Published

ABOUT = ("venue", "venue_a", "venue_b", "symbol_b", "basis", "kind", "interval")
"""Fields of what passes (`PASSING`) that name what it is about, beside the symbol."""


class Mailbox:
    """What passes is conflated once more than an eighth of `capacity` waits; a full box loses its oldest."""

    def __init__(self, capacity: int, wake: Callable[[], None]) -> None:
        self._capacity, self._room, self._wake = capacity, capacity, wake
        self._waiting: OrderedDict[Hashable, Published] = OrderedDict()
        self._lost: tuple[int, int] | None = None
        self._is_conflating = False
        self.wanted: Wanted | None = None
        self.lost = 0
        self.conflated = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def open(self, wanted: Wanted, backlog: Iterable[Published]) -> None:
        """Begins anew with what is resumed; there is room for all of it."""
        self._waiting.clear()
        self._lost, self._is_conflating, self.wanted = None, False, wanted
        resumed = [event for event in backlog if event.topic in wanted.topics and self.is_for(event)]
        self._room = max(self._capacity, len(resumed))
        for event in resumed:
            self._waiting[event.sequence] = event
        if resumed:
            self._wake()

    def is_for(self, event: Published) -> bool:
        """Whether the filters let it pass, its topic aside."""
        wanted = self.wanted
        if wanted is None:
            return False
        if wanted.session is not None and event.session is not None and event.session != wanted.session:
            return False
        return wanted.symbols is None or event.symbol is None or event.symbol in wanted.symbols

    def put(self, event: Published) -> None:
        """Takes one event in; the caller has asked `is_for`."""
        waiting = self._waiting
        if len(waiting) * 8 > self._capacity and not self._is_conflating:
            self._is_conflating = True
            self._conflate()
        place: Hashable = event.sequence
        if self._is_conflating and event.topic in PASSING:
            place = _about(event)
            if waiting.pop(place, None) is not None:
                self.conflated += 1
        waiting[place] = event
        if len(waiting) > self._room:
            self._lose_the_oldest()
        if len(waiting) == 1:
            self._wake()

    def lost_span(self) -> Gap | None:
        """What was lost since this was last asked."""
        span, self._lost = self._lost, None
        return None if span is None else Gap(first=span[0], last=span[1])

    def take(self) -> Published | None:
        """The oldest that waits."""
        if not self._waiting:
            self._is_conflating, self._room = False, self._capacity
            return None
        return self._waiting.popitem(last=False)[1]

    def _conflate(self) -> None:
        before = list(self._waiting.values())
        self._waiting.clear()
        for event in before:
            place: Hashable = event.sequence
            if event.topic in PASSING:
                place = _about(event)
                self._waiting.pop(place, None)  # so that the newer one stands at its own place in the order
            self._waiting[place] = event
        self.conflated += len(before) - len(self._waiting)

    def _lose_the_oldest(self) -> None:
        sequence = self._waiting.popitem(last=False)[1].sequence
        self._lost = (sequence if self._lost is None else self._lost[0], sequence)
        self.lost += 1


def _about(event: Published) -> Hashable:
    data = event.data
    names = (data.get(name) if isinstance(data, Mapping) else getattr(data, name, None) for name in ABOUT)
    return (event.topic, event.session, event.symbol, *names)
