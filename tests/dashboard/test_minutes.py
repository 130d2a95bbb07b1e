"""The chart's last candle from the minutes of the engine."""

from hypothesis import given
from hypothesis import strategies as st

from tests.dashboard.views import a_bar, a_quote_view
from workstation.client.messages import BarView
from workstation.dashboard.minutes import Candle, Minutes
from workstation.model.durations import MINUTE_NS

T0 = 1_700_000_100_000_000_000 // (5 * MINUTE_NS) * 5 * MINUTE_NS


def minute(place: int, **prices: float) -> BarView:
    return a_bar(ts_open=T0 + place * MINUTE_NS, **prices)


def test_a_forming_minute_is_a_bar_of_its_own_at_one_minute() -> None:
    told = Minutes(MINUTE_NS).take(a_quote_view(forming=minute(0, open=1, high=3, low=1, close=2, volume=5)))
    assert told == [Candle(T0, 1, 3, 1, 2, 5)]


def test_nothing_is_told_where_nothing_changed() -> None:
    minutes, quote = Minutes(MINUTE_NS), a_quote_view(forming=minute(0))
    minutes.take(quote)
    assert minutes.take(quote) == []


def test_a_longer_bar_is_the_sum_of_its_minutes() -> None:
    known = [minute(0, open=1, high=5, low=1, close=2, volume=1), minute(1, open=2, high=3, low=0.5, close=3, volume=2)]
    told = Minutes(5 * MINUTE_NS, known).take(a_quote_view(forming=minute(2, open=3, high=4, low=3, close=4, volume=3)))
    assert told == [Candle(T0, 1, 5, 0.5, 4, 6)]


def test_the_venue_s_own_minute_replaces_ours() -> None:
    minutes = Minutes(MINUTE_NS)
    minutes.take(a_quote_view(forming=minute(0, open=1, high=1, low=1, close=1, volume=1)))
    told = minutes.take(a_quote_view(closed=minute(0, open=1, high=2, low=1, close=2, volume=9), forming=minute(1)))
    assert told[0] == Candle(T0, 1, 2, 1, 2, 9)
    late = minutes.take(a_quote_view(forming=minute(0, open=7, high=7, low=7, close=7, volume=7)))
    assert late == [Candle(T0, 1, 2, 1, 2, 9)], "a trade behind its time does not undo what the venue closed"


def test_a_new_bucket_begins_and_the_one_before_stays_open_for_the_venue_s_word() -> None:
    minutes = Minutes(5 * MINUTE_NS, [minute(n, volume=1) for n in range(4)])
    minutes.take(a_quote_view(forming=minute(4, volume=1)))
    told = minutes.take(a_quote_view(closed=minute(4, volume=3), forming=minute(5, volume=2)))
    assert [(one.ts_open, one.volume) for one in told] == [(T0, 7), (T0 + 5 * MINUTE_NS, 2)]


@given(st.lists(st.integers(0, 30), min_size=1, max_size=80), st.sampled_from([1, 5, 15]))
def test_only_the_newest_two_bars_are_ever_kept_or_told(places: list[int], length: int) -> None:
    minutes, newest = Minutes(length * MINUTE_NS), 0
    for place in places:
        told = minutes.take(a_quote_view(forming=minute(place, close=1 + place)))
        newest = max(newest, (T0 + place * MINUTE_NS) // (length * MINUTE_NS) * length * MINUTE_NS)
        assert all(one.ts_open >= newest - length * MINUTE_NS for one in told)
        assert len(minutes._minutes) <= 2 * length
