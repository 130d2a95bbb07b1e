"""Collections as they are told: from the record of one to what a page or a table shows."""

from typing import Any

from workstation.client.collection import (
    CollectionDetail,
    CollectionGapView,
    CollectionSeriesView,
    CollectionView,
)
from workstation.history.collection import Collection


def collection_view(one: Collection) -> CollectionView:
    return CollectionView.model_validate(_fields(one))


def collection_detail(one: Collection) -> CollectionDetail:
    return CollectionDetail(
        **_fields(one),
        series=tuple(
            CollectionSeriesView(
                kind=each.kind,
                venue=each.venue,
                symbol=each.symbol,
                interval=each.interval,
                rows=each.rows,
                dropped=each.lost,
                last_ns=each.last_ns,
            )
            for each in one.series
        ),
        gaps=tuple(
            CollectionGapView(from_ns=gap.from_ns, to_ns=gap.to_ns, why=gap.why, venue=gap.venue, rows=gap.rows)
            for gap in one.gaps
        ),
    )


def _fields(one: Collection) -> dict[str, Any]:
    return {
        "name": one.name,
        "state": one.state,
        "reason": one.reason,
        "by": one.by,
        "is_of_engine": one.is_of_engine,
        "instruments": tuple(f"{venue}:{symbol}" for venue, symbol in one.instruments),
        "venues": tuple(dict.fromkeys(venue for venue, _ in one.instruments)),
        "symbols": tuple(dict.fromkeys(symbol for _, symbol in one.instruments)),
        "trades": one.trades,
        "intervals": one.intervals,
        "funding": one.funding,
        "book_levels": one.book_levels,
        "begun_ns": one.begun_ns,
        "planned_end_ns": one.planned_end_ns,
        "ended_ns": one.ended_ns,
        "rows": one.rows,
        "dropped": one.lost,
        "conflated": one.conflated,
        "last_ns": one.last_ns,
        "gap_count": one.gap_count,
    }
