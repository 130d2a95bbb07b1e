"""OANDA's candles of a simulated venue: by minutes and hours of UTC, and by days that begin at an hour of a place."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from workstation.model.durations import DAY_NS, HOUR_NS, MINUTE_NS, SECOND_NS
from workstation.simulator.bar_history import WEEK_NS, Candle
from workstation.simulator.oanda.errors import OandaError, not_simulated, wrong
from workstation.simulator.oanda.format import Json, rfc3339
from workstation.simulator.oanda.requests import boolean, moment_ns, whole
from workstation.simulator.request_fields import Fields
from workstation.simulator.venue_market import VenueMarket
from workstation.simulator.wire import WireParts

OF_UTC = {"M1": 1, "M2": 2, "M4": 4, "M5": 5, "M10": 10, "M15": 15, "M30": 30, "H1": 60}
"""In minutes."""
OF_DAYS = {"H2": 2, "H3": 3, "H4": 4, "H6": 6, "H8": 8, "H12": 12, "D": 24, "W": 168}
"""In hours; counted from where a day begins."""
SHORTER = ("S5", "S10", "S15", "S30")
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MOST_CANDLES = 5_000
HOLIDAY_NS = 3 * DAY_NS
"""So much longer is looked for so many candles: over a weekend there are none."""
UNITS_A_PRICE = 100_000
"""The volume of a candle is told as if each price moved so many units."""
SIDES = {"M": ("mid", 0.0), "B": ("bid", -0.5), "A": ("ask", 0.5)}
"""Its name, and by how much of the spread it lies beside the middle."""


class Alignment(NamedTuple):
    """Where a day and a week begin."""

    zone: ZoneInfo
    hour: int
    weekday: int

    def opening(self, ts_ns: int, granularity: str) -> int:
        """When the candle that holds a moment opened."""
        begins = self._day(ts_ns)
        hours = OF_DAYS[granularity]
        if granularity == "W":
            local = datetime.fromtimestamp(begins // SECOND_NS, self.zone)
            return self._at(local - timedelta(days=(local.weekday() - self.weekday) % 7))
        return begins + (ts_ns - begins) // (hours * HOUR_NS) * hours * HOUR_NS

    def _day(self, ts_ns: int) -> int:
        local = datetime.fromtimestamp(ts_ns // SECOND_NS, self.zone)
        today = self._at(local)
        return today if today <= ts_ns else self._at(local - timedelta(days=1))

    def _at(self, local: datetime) -> int:
        """The day's beginning on that date."""
        return int(datetime.combine(local.date(), time(self.hour), self.zone).timestamp()) * SECOND_NS


class OandaCandles:
    """`is_open` tells of an opening whether the market traded then."""

    def __init__(self, parts: WireParts, is_open: Callable[[int], bool]) -> None:
        self._exchange, self._histories, self._is_open = parts.exchange, parts.histories, is_open

    def answer(self, market: VenueMarket, fields: Fields) -> Json:
        """Raises OandaError."""
        granularity = fields.get("granularity", "S5")
        if granularity in SHORTER or granularity == "M":
            raise not_simulated(f"granularity {granularity}")
        if granularity not in OF_UTC and granularity not in OF_DAYS:
            raise wrong("granularity")
        sides = fields.get("price", "M")
        if not sides or not set(sides) <= set(SIDES):
            raise wrong("price")
        found = self._chosen(market, granularity, fields)
        touch = market.book.touch()
        spread = 0.0 if touch is None else market.float_price(touch.ask) - market.float_price(touch.bid)
        shown = [self._shown(market, candle, ends, sides, spread) for candle, ends in found]
        return {"instrument": market.name, "granularity": granularity, "candles": shown}

    def _chosen(self, market: VenueMarket, granularity: str, fields: Fields) -> list[tuple[Candle, int]]:
        """Those of the span with their ends: the first so many from a start, the last so many without one."""
        now_ns = self._exchange.now_ns
        start_ns, stop_ns = moment_ns(fields, "from"), moment_ns(fields, "to")
        for name, moment in (("from", start_ns), ("to", stop_ns)):
            if moment is not None and moment > now_ns:
                raise wrong(name, "Time is in the future")
        if start_ns is not None and stop_ns is not None:
            if "count" in fields:
                raise OandaError("'count' cannot be specified when 'to' and 'from' are set")
            if start_ns > stop_ns:
                raise OandaError("Invalid value specified for 'from'. Time is after 'to'")
        count = whole(fields, "count", 500, MOST_CANDLES)
        length_ns = OF_UTC[granularity] * MINUTE_NS if granularity in OF_UTC else OF_DAYS[granularity] * HOUR_NS
        if start_ns is not None and stop_ns is not None:
            if (stop_ns - start_ns) // length_ns > MOST_CANDLES:
                raise OandaError("Maximum value for 'count' exceeded")
            count = MOST_CANDLES
        reach_ns = 2 * count * length_ns + HOLIDAY_NS
        last_ns = now_ns if stop_ns is None else stop_ns
        first_ns = max(last_ns - reach_ns, 0) if start_ns is None else start_ns
        if stop_ns is None and start_ns is not None:
            last_ns = min(start_ns + reach_ns, now_ns)
        candles = self._between(market, granularity, self._alignment(fields), first_ns, last_ns)
        includes = boolean(fields, "includeFirst", otherwise=True)
        inside = [
            (candle, ends)
            for candle, ends in candles
            if (ends > first_ns if includes else candle.ts_open > first_ns)
            and (stop_ns is None or candle.ts_open < stop_ns)
        ]
        return inside[-count:] if start_ns is None else inside[:count]

    def _between(
        self, market: VenueMarket, granularity: str, alignment: Alignment, first_ns: int, last_ns: int
    ) -> list[tuple[Candle, int]]:
        """Whole candles and the running one, with their ends, as far as the market traded."""
        if granularity in OF_UTC:
            length_ns = OF_UTC[granularity] * MINUTE_NS
            found = self._of_utc(market, length_ns, first_ns, last_ns)
            return [(candle, candle.ts_open + length_ns) for candle in found]
        first_ns = alignment.opening(first_ns, granularity)
        hours = self._of_utc(market, HOUR_NS, first_ns, last_ns)
        return list(_joined(hours, lambda ts_ns: alignment.opening(ts_ns, granularity), granularity))

    def _of_utc(self, market: VenueMarket, length_ns: int, first_ns: int, last_ns: int) -> list[Candle]:
        """Up to the one that holds `last_ns`."""
        now_ns = self._exchange.now_ns
        is_live = last_ns + length_ns > now_ns
        end_ns = now_ns if is_live else last_ns - last_ns % length_ns + length_ns
        mid = market.mid() if is_live else None
        found = self._histories[market.name].candles(length_ns, first_ns, end_ns, mid)
        return [one for one in found if self._is_open(one.ts_open)]

    def _alignment(self, fields: Fields) -> Alignment:
        """Raises OandaError."""
        hour = fields.get("dailyAlignment", "17")
        if not hour.isdecimal() or int(hour) > 23:
            raise wrong("dailyAlignment")
        weekday = fields.get("weeklyAlignment", "Friday")
        if weekday not in WEEKDAYS:
            raise wrong("weeklyAlignment")
        try:
            zone = ZoneInfo(fields.get("alignmentTimezone", "America/New_York"))
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise wrong("alignmentTimezone") from None
        offset = datetime.fromtimestamp(self._exchange.now_ns // SECOND_NS, UTC).astimezone(zone).utcoffset()
        if offset is None or offset % timedelta(hours=1):
            raise not_simulated("an alignmentTimezone that is not whole hours from UTC")
        return Alignment(zone, int(hour), WEEKDAYS.index(weekday))

    def _shown(self, market: VenueMarket, candle: Candle, ends: int, sides: str, spread: float) -> Json:
        shown: Json = {
            "complete": ends <= self._exchange.now_ns,
            "volume": int(candle.volume) // UNITS_A_PRICE + 1,
            "time": rfc3339(candle.ts_open),
        }
        for letter in sides:
            name, share = SIDES[letter]
            prices = (candle.open, candle.high, candle.low, candle.close)
            texts = [market.price_text(price + share * spread) for price in prices]
            shown[name] = dict(zip("ohlc", texts, strict=True))
        return shown


def _joined(hours: Iterable[Candle], opening: Callable[[int], int], granularity: str) -> Iterable[tuple[Candle, int]]:
    """Candles out of hours, each under its opening, with its end."""
    held: Candle | None = None
    for hour in hours:
        opened = opening(hour.ts_open)
        if held is not None and held.ts_open == opened:
            held = Candle(
                opened,
                held.open,
                max(held.high, hour.high),
                min(held.low, hour.low),
                hour.close,
                held.volume + hour.volume,
            )
            continue
        if held is not None:
            yield held, _end(held.ts_open, opening, granularity)
        held = hour._replace(ts_open=opened)
    if held is not None:
        yield held, _end(held.ts_open, opening, granularity)


def _end(opened: int, opening: Callable[[int], int], granularity: str) -> int:
    """Where the next one opens: a day at the change of clocks has 23 or 25 hours."""
    usual = opened + OF_DAYS[granularity] * HOUR_NS
    if granularity == "W":
        return opening(usual + WEEK_NS // 14)
    return opening(usual) if opening(usual) > opened else opening(usual + HOUR_NS)
