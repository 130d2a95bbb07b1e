"""The Data page: rows, map and facts of a survey, what its filters leave, and the process that surveys."""

import asyncio
import sys
from pathlib import Path

import msgspec
import pytest
from bokeh.document import Document

from tests.dashboard.test_pages import visited
from tests.history.series import HOURS, QUOTES, a_source, bars_from, quotes_at
from tests.test_docs import parse
from workstation.dashboard.data_rows import covered_percent, fact_groups, gap_rows, map_of, series_rows, source_rows
from workstation.dashboard.pages.data import LESSON, DataPage
from workstation.dashboard.surveyor import PAUSE_S, Surveyor
from workstation.dashboard.users import Role
from workstation.dashboard.visit import Visit
from workstation.history.store import HistoryStore
from workstation.history.survey import Figures, SeriesFacts, SurveyLine, survey
from workstation.model.durations import DAY_NS, SECOND_NS

T0_NS = 19_844 * DAY_NS
pytestmark = pytest.mark.filterwarnings("ignore:button_type:PendingDeprecationWarning")


def a_history(root: Path) -> HistoryStore:
    """Quotes with a hole of ten minutes, and a day of hourly bars."""
    store = HistoryStore(root)
    times = [T0_NS + second * SECOND_NS for second in range(1200) if not 300 <= second < 900]
    store.write(QUOTES, quotes_at(times), a_source("quotes.csv"))
    store.write(HOURS, bars_from(T0_NS, 24), a_source("bars.csv"))
    return store


def a_survey(store: HistoryStore) -> tuple[tuple[SeriesFacts, ...], dict[str, Figures]]:
    told: list[SurveyLine] = []
    survey(store, {}, T0_NS + DAY_NS, told.append)
    assert told[0].series is not None
    return told[0].series, {one.figures.name: one.figures for one in told if one.figures is not None}


def test_what_was_not_looked_at_is_not_known_in_its_row(tmp_path: Path) -> None:
    series, figures = a_survey(a_history(tmp_path))
    bars, quotes = series_rows(series, {str(QUOTES): figures[str(QUOTES)]}, T0_NS + DAY_NS)
    assert (bars["what"], bars["coverage"], bars["gaps"], bars["rows"]) == ("bars 1h", None, None, 24)
    assert (quotes["what"], quotes["gaps"], quotes["faults"]) == ("quotes", 1, 0)
    assert quotes["coverage"] == covered_percent(1 - 601 / 1199) and quotes["start"] == "2024-05-01 00:00"
    assert quotes["age"] == DAY_NS // SECOND_NS - 1199


def test_coverage_is_never_rounded_up_to_whole() -> None:
    assert (covered_percent(1.0), covered_percent(0.999999)) == (100.0, 99.99)


def test_the_map_has_a_line_for_each_series_that_was_looked_at(tmp_path: Path) -> None:
    series, figures = a_survey(a_history(tmp_path))
    names = [one.name for one in series]
    told = map_of(names, figures)
    assert (told["period"], told["heads"], [name for name, _ in told["lines"]]) == ("day", ["2024-05-01"], names)
    [[share, rows, words]] = told["lines"][1][1]
    assert (round(share, 3), rows, words) == (0.499, 600, "49")
    assert map_of(names, {}) == {"period": "day", "heads": [], "lines": []}


def test_a_series_tells_its_gaps_and_where_it_came_from(tmp_path: Path) -> None:
    series, figures = a_survey(a_history(tmp_path))
    quotes = figures[str(QUOTES)]
    assert gap_rows(quotes) == [{"start": "2024-05-01 00:04", "end": "2024-05-01 00:15", "length": "10 min"}]
    assert gap_rows(None) == []
    [source] = source_rows(series[1])
    assert (source["source"], source["version"]) == ("quotes.csv", "workstation test")
    assert dict(fact_groups(series[1], quotes)[1][1])["Gaps"] == "1, 10 min in all"
    assert [name for name, _ in fact_groups(series[1], None)] == ["Rows"]


def test_filters_leave_what_is_chosen_and_the_address_keeps_them(tmp_path: Path) -> None:
    series, figures = a_survey(a_history(tmp_path / "history"))

    def looked(visit: Visit) -> None:
        visit.surveyor.series, visit.surveyor.figures = series, figures
        visit.surveyor.want = lambda: None  # type: ignore[method-assign]
        page = DataPage(visit, {"kind": "quotes", "series": str(QUOTES)})
        page.view().get_root(Document())
        assert [row[0] for row in page.table.rows] == ["quotes"] and page.map.chosen == str(QUOTES)
        assert page._detail.visible and page.gaps.rows and page.sources.rows
        places: list[dict[str, str]] = []
        page.on_place = places.append
        page.filters["kind"].value = "bars"
        assert [row[0] for row in page.table.rows] == ["bars 1h"]
        page._on_row({"what": "bars 1h", "venue": HOURS.key.venue, "symbol": HOURS.key.symbol})
        assert places[-1] == {"kind": "bars", "venue": "", "symbol": "", "series": str(HOURS)}
        page.choose(str(HOURS))
        assert not page._detail.visible and page.place["series"] == ""
        page.choose("no such series")
        assert page.place["series"] == ""

    visited(tmp_path, looked, Role.VIEWER)


def test_an_empty_history_teaches_how_to_fill_it(tmp_path: Path) -> None:
    def looked(visit: Visit) -> None:
        visit.surveyor.want = lambda: None  # type: ignore[method-assign]
        page = DataPage(visit, {})
        assert not page.lesson.visible and page.told.text == "Looking at the history…"
        visit.surveyor.series, visit.surveyor.number = (), 1
        page.show(visit.state)
        assert page.lesson.visible and "workstation data download" in page.lesson.text
        visit.surveyor.failure, visit.surveyor.done, visit.surveyor.total = "manifest.json: damaged", 50, 200
        page.show(visit.state)
        assert "manifest.json: damaged" in page.told.text and page.progress.value == 25

    visited(tmp_path, looked)


def test_what_an_empty_history_teaches_are_commands() -> None:
    shown = [line.split()[1:] for line in LESSON.splitlines() if line.startswith("    workstation ")]
    assert [words[:2] for words in shown] == [["data", "download"], ["data", "record"]]
    for words in shown:
        parse(words)


def test_the_surveyor_keeps_what_it_found_and_rests_between(tmp_path: Path) -> None:
    a_history(tmp_path)
    now_s = [0.0]
    surveyor = Surveyor(tmp_path, lambda: now_s[0])

    async def look() -> None:
        surveyor.want()
        surveyor.want()  # one at a time
        await surveyor.wait()

    asyncio.run(look())
    assert surveyor.failure == "" and set(surveyor.figures) == {str(HOURS), str(QUOTES)}
    number, before = surveyor.number, surveyor.figures
    asyncio.run(look())
    assert surveyor.number == number
    now_s[0] = PAUSE_S
    asyncio.run(look())
    assert surveyor.number > number and surveyor.figures == before


def test_a_download_that_ended_ends_the_surveyor_s_rest_and_is_looked_at_once(tmp_path: Path) -> None:
    a_history(tmp_path)
    surveyor = Surveyor(tmp_path, lambda: 0.0)

    async def look() -> int:
        surveyor.want()
        await surveyor.wait()
        return surveyor.number

    def looks_again(*ended: str) -> bool:
        before = surveyor.number
        surveyor.heed(frozenset(ended))
        return asyncio.run(look()) > before

    asyncio.run(look())
    assert [looks_again("one"), looks_again("one", "two"), looks_again("one", "two")] == [False, True, False]

    async def while_one_runs() -> None:
        surveyor.heed(frozenset(("three",)))
        surveyor.want()
        surveyor.heed(frozenset(("three", "four")))
        await surveyor.wait()

    asyncio.run(while_one_runs())
    assert looks_again("three", "four")


def test_a_surveyor_whose_process_dies_says_so_and_keeps_what_it_knew(tmp_path: Path) -> None:
    line = msgspec.json.encode(SurveyLine(series=())).decode()
    words = f"import sys; sys.stdin.readline(); print({line!r}); print('no line'); sys.exit(3)"
    surveyor = Surveyor(tmp_path, command=(sys.executable, "-c", words))

    async def look() -> None:
        surveyor.want()
        await surveyor.wait()

    asyncio.run(look())
    assert surveyor.series == () and "ended with code 3" in surveyor.failure
