"""`ws.asof`: columns as they were known, and nothing of what came later."""

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

import workstation as ws
from workstation.errors import BadInput


def at(*seconds: float) -> pd.DatetimeIndex:
    return pd.DatetimeIndex([pd.Timestamp("2024-05-01", tz="UTC") + pd.Timedelta(seconds=one) for one in seconds])


def test_rows_get_what_was_known_last_and_nothing_from_later() -> None:
    frame = pd.DataFrame({"price": [1.0, 2.0, 3.0, 4.0]}, index=at(0, 5, 5, 20))
    other = pd.DataFrame({"rate": [0.1, 0.2], "price": [7, 8], "due": at(100, 200)}, index=at(1, 5))
    joined = ws.asof(frame, other)
    expected = frame.assign(
        rate=[np.nan, 0.2, 0.2, 0.2],
        price_other=[np.nan, 8.0, 8.0, 8.0],
        due=pd.DatetimeIndex([pd.NaT, *at(200, 200, 200)], tz="UTC"),
    )
    assert_frame_equal(joined, expected)
    assert list(frame) == ["price"]


def test_what_is_too_old_is_missing() -> None:
    frame, other = pd.DataFrame(index=at(5, 6, 6.1)), pd.DataFrame({"rate": [0.5]}, index=at(1))
    assert ws.asof(frame, other, max_age_seconds=5)["rate"].isna().tolist() == [False, False, True]


def test_whole_numbers_stay_so_where_all_is_known() -> None:
    frame, other = pd.DataFrame(index=at(5)), pd.DataFrame({"count": [3]}, index=at(1))
    assert ws.asof(frame, other)["count"].dtype == np.int64


def test_empty_tables_are_joined() -> None:
    frame, other = pd.DataFrame({"price": [1.0]}, index=at(5)), pd.DataFrame({"rate": [0.5]}, index=at(1))
    assert ws.asof(frame, other[:0])["rate"].isna().tolist() == [True]
    assert len(ws.asof(frame[:0], other)) == 0 and list(ws.asof(frame[:0], other)) == ["price", "rate"]


def test_bars_by_their_opening_are_refused() -> None:
    frame = pd.DataFrame({"price": [1.0]}, index=at(5))
    bars = pd.DataFrame({"close": [1.0]}, index=at(0).rename("ts_open"))
    with pytest.raises(BadInput, match="other: bars by their opening were not known then"):
        ws.asof(frame, bars)


def test_bars_by_their_end_are_joined_as_the_refusal_says() -> None:
    bars = pd.DataFrame({"close": [1.0, 2.0]}, index=at(0, 60).rename("ts_open"))
    by_end = bars.set_axis((bars.index + pd.Timedelta("1m")).rename("ts_end"))
    assert "bars.set_axis((bars.index + pd.Timedelta(" in str(refusal(pd.DataFrame(index=at(1)), bars))
    assert ws.asof(pd.DataFrame(index=at(59, 60, 120)), by_end)["close"].fillna(0).tolist() == [0.0, 1.0, 2.0]


def test_a_column_that_is_there_already_is_not_overwritten() -> None:
    frame, other = pd.DataFrame({"bid": [1.0]}, index=at(5)), pd.DataFrame({"bid": [2.0]}, index=at(1))
    once = ws.asof(frame, other)
    assert "bid_other: frame has it already: expected another suffix" in str(refusal(once, other))
    assert list(ws.asof(once, other, suffix="_third")) == ["bid", "bid_other", "bid_third"]
    assert "bid: frame has it already" in str(refusal(frame, other, suffix=""))


def refusal(frame: pd.DataFrame, other: pd.DataFrame, **words: str) -> BadInput:
    with pytest.raises(BadInput) as caught:
        ws.asof(frame, other, **words)
    return caught.value


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"frame": pd.DataFrame({"x": [1.0]})}, "frame: expected an index of times in UTC"),
        ({"other": pd.DataFrame({"x": [1.0, 2.0]}, index=at(2, 1))}, "other: row 1 is before"),
        ({"max_age_seconds": -1}, "max_age_seconds -1: expected 0 to"),
        ({"max_age_seconds": float("nan")}, "max_age_seconds nan: expected a finite number"),
        ({"max_age_seconds": "1"}, "max_age_seconds '1': expected a number"),
    ],
)
def test_what_cannot_be_joined_is_refused(changes, why) -> None:
    words = {"frame": pd.DataFrame({"x": [1.0]}, index=at(1)), "other": pd.DataFrame({"y": [1.0]}, index=at(1))}
    with pytest.raises(BadInput, match=why):
        ws.asof(**(words | changes))
