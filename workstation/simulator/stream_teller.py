"""The rhythm of a venue's streams: events as they happen, books each so often, candles and statistics each second."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence

from workstation.model.durations import MINUTE_NS, SECOND_NS
from workstation.simulator.bar_history import BarHistory, Candle, interval_start
from workstation.simulator.exchange import Exchange
from workstation.simulator.publisher import Publisher
from workstation.simulator.socket_hub import SocketHub
from workstation.simulator.venue_market import VenueMarket
from workstation.simulator.venue_orders import BalanceChanged, Event, Quoted, Reported, Traded


class StreamTeller(ABC):
    """Tells what happened since the last step; a wire says how each thing is written, and on which stream."""

    def __init__(
        self,
        exchange: Exchange,
        histories: Mapping[str, BarHistory],
        hub: SocketHub,
        publisher: Publisher,
        book_ns: int,
    ) -> None:
        self.exchange, self.hub, self.publisher = exchange, hub, publisher
        self._histories, self._book_ns = histories, book_ns
        self._book_due_ns = 0
        self._second_due_ns = 0
        self._minute_ns = interval_start(exchange.now_ns, MINUTE_NS)

    def flush(self) -> None:
        """Sends all events, and what falls due by the clock."""
        self.tell(self.exchange.drain(), self.exchange.now_ns)

    def tell(self, events: Sequence[Event], now_ns: int) -> None:
        """Sends the events, and what falls due by the clock."""
        for event in events:
            if isinstance(event, Quoted):
                self.quoted(event)
            elif isinstance(event, Traded):
                self.traded(event)
            elif isinstance(event, Reported):
                self.reported(event)
            else:
                self.balance(event)
        self.step_ended()
        if now_ns >= self._book_due_ns:
            self._book_due_ns = now_ns + self._book_ns
            self.tell_books()
        if now_ns >= self._second_due_ns:
            self._second_due_ns = now_ns + SECOND_NS
            self._each_second(now_ns)
        self.hub.flush()

    def close(self) -> None:
        """Forgets what was to be sent later."""
        self.publisher.close()

    @abstractmethod
    def quoted(self, event: Quoted) -> None:
        """The best prices changed."""

    @abstractmethod
    def traded(self, event: Traded) -> None:
        """A public trade."""

    @abstractmethod
    def reported(self, event: Reported) -> None:
        """An order's state changed."""

    @abstractmethod
    def balance(self, event: BalanceChanged) -> None:
        """An account's balances changed."""

    @abstractmethod
    def tell_books(self) -> None:
        """What changed in the books since the last time."""

    @abstractmethod
    def candle_stream(self, stream: str) -> tuple[VenueMarket, int] | None:
        """Market and length in ns of a stream of candles; None for another stream."""

    @abstractmethod
    def candle(self, stream: str, market: VenueMarket, length_ns: int, candle: Candle, *, is_closed: bool) -> None:
        """A candle, running or closed."""

    @abstractmethod
    def each_second(self, stream: str) -> None:
        """What another stream tells each second."""

    def step_ended(self) -> None:  # noqa: B027 (a wire that gathers nothing has nothing to do)
        """All events of one step were told."""

    def _each_second(self, now_ns: int) -> None:
        minute_ns = interval_start(now_ns, MINUTE_NS)
        ended = range(self._minute_ns + MINUTE_NS, minute_ns + 1, MINUTE_NS)  # many after a step that came late
        self._minute_ns = minute_ns
        for stream in self.hub.wanted():
            found = self.candle_stream(stream)
            if found is None:
                self.each_second(stream)
            else:
                self._candles(stream, *found, now_ns, ended)

    def _candles(self, stream: str, market: VenueMarket, length_ns: int, now_ns: int, ended: Sequence[int]) -> None:
        """Each candle that closed since the last time, then the running one: no venue leaves the end of one out."""
        history = self._histories[market.name]
        for end_ns in ended:
            if interval_start(end_ns, length_ns) == end_ns:
                closed = history.candle(length_ns, end_ns)
                if closed is not None:
                    self.candle(stream, market, length_ns, closed, is_closed=True)
        running = history.candles(length_ns, now_ns, now_ns, market.mid())
        if running:
            self.candle(stream, market, length_ns, running[-1], is_closed=False)
