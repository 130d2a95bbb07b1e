"""Trades and bars of one instrument: each once, in order, whatever is cut out and fetched again."""

from hypothesis import example, given
from hypothesis import strategies as st

from workstation.exchanges.bar_series import BarSeries
from workstation.exchanges.ccxt_parse import BarNumbers, TradeNumbers
from workstation.exchanges.trade_series import REMEMBERED, TradeSeries
from workstation.model.durations import MINUTE_NS, SECOND_NS

START = 1_700_000_100 * SECOND_NS
GRACE = 2 * SECOND_NS


def a_trade(number: int, *, name: str | None = "") -> TradeNumbers:
    return TradeNumbers(START + number, 100.0, 1.0, False, str(number) if name == "" else name)


def a_bar(minute: int, close: float = 100.0) -> BarNumbers:
    return BarNumbers(START + minute * MINUTE_NS, 100.0, 200.0, 50.0, close, 1.0)


@given(seen=st.integers(1, 20), missed=st.integers(0, 20), overlap=st.integers(0, 20), live=st.integers(0, 20))
def test_after_a_gap_every_trade_comes_once_and_in_order(seen: int, missed: int, overlap: int, live: int) -> None:
    series, passed = TradeSeries(), list[TradeNumbers]()
    passed += [trade for trade in map(a_trade, range(seen)) if series.told(trade)]
    series.hold()
    first_live = seen + missed
    for number in range(first_live, first_live + live):
        assert not series.told(a_trade(number))
    fetched = [a_trade(number) for number in range(max(0, seen - overlap), first_live + live // 2)]
    assert series.reaches_back(fetched) or overlap == 0
    passed += series.release(fetched)
    passed += [trade for trade in map(a_trade, range(first_live, first_live + live + 5)) if series.told(trade)]
    assert passed == [a_trade(number) for number in range(first_live + live + 5)]


@given(
    lost=st.sets(st.integers(1, 30)),
    asked=st.lists(st.integers(2, 31), max_size=8),
    twice=st.sets(st.integers(0, 30)),
    start=st.integers(0, 10**12),
)
def test_numbered_trades_that_were_lost_within_a_connection_come_once_and_in_order(
    lost: set[int], asked: list[int], twice: set[int], start: int
) -> None:
    series, passed = TradeSeries(is_numbered=True), list[int]()

    def mend(before: int) -> None:
        assert series.last is not None and series.last.trade_id is not None
        answer = [a_trade(number) for number in range(int(series.last.trade_id) + 1, start + before)]
        passed.extend(int(trade.trade_id or 0) - start for trade in series.mend(answer))

    for number in range(31):
        for _ in range(1 + (number in twice)):
            if number not in lost and series.told(a_trade(start + number)):
                passed.append(number)
        if number in asked:
            mend(number)
        assert passed == list(range(len(passed)))
        assert series.is_held or number in lost or passed[-1] == number
    mend(31)
    assert passed == list(range(31))
    assert not series.is_held


def test_what_waits_behind_a_gap_that_the_venue_does_not_list_waits_on_until_it_is_released() -> None:
    series = TradeSeries(is_numbered=True)
    assert series.told(a_trade(1))
    assert not series.told(a_trade(4))
    assert series.mend([a_trade(2), a_trade(5)]) == [a_trade(2)]
    assert not series.told(a_trade(6))
    assert series.release([]) == [a_trade(4), a_trade(5), a_trade(6)]
    assert series.told(a_trade(7))


def test_a_trade_that_comes_late_is_passed_and_leaves_nothing_out() -> None:
    series = TradeSeries(is_numbered=True)
    series.told(a_trade(1))
    series.told(a_trade(4))
    series.release([])
    assert [series.told(a_trade(number)) for number in (2, 5)] == [True, True]


def test_a_venue_that_counts_anew_from_below_is_followed() -> None:
    series = TradeSeries(is_numbered=True)
    assert [series.told(a_trade(number)) for number in (REMEMBERED * 9, 5, 6, 8)] == [True, True, True, False]


def test_an_id_that_is_no_number_leaves_nothing_out() -> None:
    series = TradeSeries(is_numbered=True)
    assert [series.told(a_trade(1, name=name)) for name in ("7", "x", "y", None)] == [True] * 4


def test_a_trade_told_twice_is_passed_once_and_memory_is_bounded() -> None:
    series = TradeSeries()
    assert [series.told(a_trade(number)) for number in (1, 1, 2)] == [True, False, True]
    for number in range(3, REMEMBERED + 100):
        series.told(a_trade(number))
    assert len(series._ids) == REMEMBERED


def test_equal_trades_without_id_are_all_passed() -> None:
    series = TradeSeries()
    assert [series.told(a_trade(1, name=None)) for _ in range(3)] == [True] * 3


def test_fetched_trades_without_id_fill_only_the_time_between() -> None:
    series = TradeSeries()
    series.told(a_trade(5, name=None))
    series.hold()
    series.told(a_trade(9, name=None))
    released = series.release([a_trade(number, name=None) for number in range(4, 11)])
    assert [trade.ts_event - START for trade in released] == [6, 7, 8, 9]


@given(
    sizes=st.lists(st.integers(1, 3), min_size=1, max_size=30),
    moments=st.lists(st.integers(0, 2), min_size=30, max_size=30),
    cuts=st.tuples(st.integers(1, 30), st.integers(0, 30)),
)
def test_trades_without_id_that_were_missed_are_told_apart_by_their_number(
    sizes: list[int], moments: list[int], cuts: tuple[int, int]
) -> None:
    at, truth = 0, list[TradeNumbers]()
    for size, later in zip(sizes, moments, strict=False):
        at += later
        truth.append(TradeNumbers(START + at, 100.0, float(size), False, None))
    seen = min(cuts[0], len(truth))
    # what is told again begins with a moment of its own: who was missed in it is not known
    first = next((place for place in range(seen + cuts[1], len(truth)) if _is_first(truth, place)), len(truth))
    series = TradeSeries()
    passed = [trade for trade in truth[:seen] if series.told(trade)]
    series.hold()
    for trade in truth[first:]:
        assert not series.told(trade)
    since = truth[seen - 1].ts_event
    passed += series.release([trade for trade in truth if trade.ts_event >= since])
    assert passed == truth


def _is_first(trades: list[TradeNumbers], place: int) -> bool:
    return trades[place].ts_event > trades[place - 1].ts_event


def test_fetched_trades_that_begin_after_the_last_seen_do_not_reach_back() -> None:
    series = TradeSeries()
    series.told(a_trade(5))
    assert series.reaches_back([a_trade(5), a_trade(6)])
    assert not series.reaches_back([a_trade(7)])


def test_a_bar_is_passed_when_a_later_one_appears_with_what_was_last_told_of_it() -> None:
    series = BarSeries(MINUTE_NS)
    series.begin(START)
    assert series.told(a_bar(0, 101.0)) is None
    assert series.told(a_bar(0, 102.0)) is None
    assert series.told(a_bar(1)) == a_bar(0, 102.0)
    assert series.told(a_bar(0, 103.0)) is None  # amended too late
    assert series.told(a_bar(1, 104.0)) is None


def test_bars_that_closed_before_the_first_connection_are_not_told() -> None:
    series = BarSeries(MINUTE_NS)
    series.begin(START + 30 * SECOND_NS)
    assert [series.told(a_bar(minute)) for minute in (-3, -2, -1, 0)] == [None] * 4
    assert series.told(a_bar(1)) == a_bar(0)


def test_a_gap_holds_the_later_bars_until_the_missing_ones_are_fetched() -> None:
    series = BarSeries(MINUTE_NS)
    series.begin(START)
    series.told(a_bar(0, 1.0))
    assert series.told(a_bar(3)) is None
    assert series.told(a_bar(4)) is None
    now = START + 4 * MINUTE_NS + 10 * SECOND_NS
    assert series.is_due(now, GRACE)
    series.failed(now, SECOND_NS)
    assert not series.is_due(now, GRACE)
    fetched = [a_bar(minute, 150.0) for minute in range(5)]
    assert series.fetched(fetched, now, GRACE) == fetched[:4]
    assert series.told(a_bar(5)) == a_bar(4)


def test_an_answer_that_comes_too_early_for_the_bar_before_leaves_the_series_held() -> None:
    series = BarSeries(MINUTE_NS)
    series.begin(START)
    series.told(a_bar(0))
    series.begin(START)  # connected again
    assert series.told(a_bar(2)) is None
    now = START + 2 * MINUTE_NS + SECOND_NS  # minute 1 ended a second ago
    assert series.fetched([a_bar(0)], now, GRACE) == []
    assert series.is_held
    assert not series.is_due(START + 2 * MINUTE_NS + GRACE - 1, GRACE)
    later = now + GRACE
    assert series.is_due(later, GRACE)
    assert series.fetched([a_bar(0), a_bar(1)], later, GRACE) == [a_bar(0), a_bar(1)]


def test_a_bar_seen_before_the_connection_was_lost_is_passed_only_as_fetched() -> None:
    series = BarSeries(MINUTE_NS)
    series.begin(START)
    series.told(a_bar(0, 1.0))
    series.begin(START)
    assert series.told(a_bar(1)) is None
    assert series.fetched([a_bar(0, 2.0), a_bar(1)], START + MINUTE_NS + GRACE, GRACE) == [a_bar(0, 2.0)]


def test_neither_what_an_earlier_connection_told_nor_an_answer_about_an_open_bar_is_its_last_word() -> None:
    series = BarSeries(MINUTE_NS)
    series.begin(START)
    series.told(a_bar(0, 1.0))
    series.begin(START)
    assert series.fetched([a_bar(0, 2.0)], START + 10 * SECOND_NS, GRACE) == []
    assert series.told(a_bar(1)) is None  # its end was told while nobody listened
    now = START + MINUTE_NS + GRACE
    assert series.is_due(now, GRACE)
    assert series.fetched([a_bar(0, 3.0), a_bar(1)], now, GRACE) == [a_bar(0, 3.0)]
    assert series.told(a_bar(2)) == a_bar(1)


def test_an_answer_counts_as_of_when_it_was_asked_for_however_late_it_comes() -> None:
    series = BarSeries(MINUTE_NS)
    series.begin(START)
    series.begin(START)  # connected again
    asked = START + 50 * SECOND_NS
    assert series.fetched([a_bar(0, 2.0)], asked, GRACE) == []
    assert series.is_due(START + MINUTE_NS + GRACE, GRACE)
    assert series.fetched([a_bar(0, 3.0)], START + MINUTE_NS + GRACE, GRACE) == [a_bar(0, 3.0)]


def test_a_silent_bar_is_asked_for_once_and_then_the_next_at_its_own_end() -> None:
    series = BarSeries(MINUTE_NS)
    series.begin(START)
    end = START + MINUTE_NS + GRACE
    assert not series.is_due(end - 1, GRACE)
    assert series.is_due(end, GRACE)
    assert series.fetched([], end, GRACE) == []
    assert not series.is_due(end + MINUTE_NS - 1, GRACE)
    assert series.is_due(end + MINUTE_NS, GRACE)
    assert series.fetched([a_bar(1)], end + MINUTE_NS, GRACE) == [a_bar(1)]


class Candles:
    """A venue whose bar of each minute closes with the second of its last change, after which it stays as it is."""

    def __init__(self) -> None:
        self.series, self.passed = BarSeries(MINUTE_NS), list[BarNumbers]()
        self._now = self._minute = 0  # in seconds since START
        self._is_heard = False
        self._asked: tuple[int, list[BarNumbers]] | None = None
        self.series.begin(START)

    def go_on(self, seconds: int) -> None:
        """Each second the venue tells of the open bar, as of now; at its end a last time, then of the next."""
        for _ in range(seconds):
            self._now += 1
            if self._is_heard:
                self._tell((self._now - 1) // 60)
                self._tell(self._now // 60)

    def _tell(self, minute: int) -> None:
        closed = self.series.told(self._bar(minute))
        self.passed += [] if closed is None else [closed]

    def _bar(self, minute: int) -> BarNumbers:
        return a_bar(minute, float(min(self._now, minute * 60 + 60)))

    def connect(self) -> None:
        """What was asked for on the connection before is never answered."""
        self.series.begin(START + self._now * SECOND_NS)
        self._is_heard, self._asked = False, None

    def hear(self) -> None:
        self._is_heard = True

    def ask(self) -> None:
        now = START + self._now * SECOND_NS
        if self._asked is None and self.series.is_due(now, GRACE):
            assert self.series.next_open is not None
            first = (self.series.next_open - START) // MINUTE_NS
            self._asked = now, [self._bar(minute) for minute in range(first, self._now // 60 + 1)]

    def answer(self) -> None:
        if self._asked is not None:
            asked, bars = self._asked
            self.passed += self.series.fetched(bars, asked, GRACE)
            self._asked = None


HELD_AND_LOST_AGAIN = [(5, "connect"), (0, "hear"), (5, "connect"), (5, "ask"), (0, "answer"), (60, "hear")]


@example(HELD_AND_LOST_AGAIN)
@given(st.lists(st.tuples(st.integers(0, 70), st.sampled_from(["connect", "hear", "ask", "answer"])), max_size=60))
def test_whatever_is_told_lost_and_fetched_each_bar_comes_once_in_order_as_it_closed(
    steps: list[tuple[int, str]],
) -> None:
    venue = Candles()
    for seconds, what in steps:
        venue.go_on(seconds)
        getattr(venue, what)()
    known = len(venue.passed)
    for _ in range(3):  # in the end the venue is heard and answers
        venue.answer()
        venue.go_on(62)
        venue.ask()
    assert venue.passed == [a_bar(minute, minute * 60.0 + 60.0) for minute in range(len(venue.passed))]
    assert len(venue.passed) > known
