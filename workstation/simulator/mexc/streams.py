"""All of MEXC's channels of one simulated venue: those of spot, and those of perpetuals."""

from workstation.model.durations import SECOND_NS
from workstation.simulator.bar_history import Candle
from workstation.simulator.mexc.contract_streams import ContractStreams
from workstation.simulator.mexc.format import is_perpetual
from workstation.simulator.mexc.spot_streams import SpotStreams
from workstation.simulator.stream_teller import StreamTeller
from workstation.simulator.venue_market import VenueMarket
from workstation.simulator.venue_orders import BalanceChanged, Quoted, Reported, Traded
from workstation.simulator.wire import WireParts

BOOK_NS = SECOND_NS // 50


class MexcStreams(StreamTeller):
    """Books go out each 20 ms under each of their names."""

    def __init__(self, parts: WireParts) -> None:
        self.spot, self.contracts = SpotStreams(parts), ContractStreams(parts)
        super().__init__(parts.exchange, parts.histories, parts.hub, self.spot.publisher, BOOK_NS)

    def close(self) -> None:
        super().close()
        self.contracts.publisher.close()

    def quoted(self, event: Quoted) -> None:
        if event.market in self.spot.markets:
            self.spot.quoted(event)

    def traded(self, event: Traded) -> None:
        (self.spot if event.market in self.spot.markets else self.contracts).traded(event)

    def step_ended(self) -> None:
        self.spot.step_ended()
        self.contracts.step_ended()

    def reported(self, event: Reported) -> None:
        self.spot.reported(event)

    def balance(self, event: BalanceChanged) -> None:
        self.spot.balance(event)

    def tell_books(self) -> None:
        self.spot.tell_books()
        self.contracts.tell_books()

    def candle_stream(self, stream: str) -> tuple[VenueMarket, int] | None:
        return self.spot.candle_stream(stream) or self.contracts.candle_stream(stream)

    def candle(self, stream: str, market: VenueMarket, length_ns: int, candle: Candle, *, is_closed: bool) -> None:
        if is_perpetual(market):
            self.contracts.candle(stream, market, candle)
        else:
            self.spot.candle(stream, market, length_ns, candle)

    def each_second(self, stream: str) -> None:
        self.contracts.each_second(stream)
