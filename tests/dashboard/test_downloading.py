"""The Data page's forms and tables of downloads and collections: words in, sentences beside fields, rows out."""

import shlex
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from bokeh.document import Document

from tests.dashboard.test_data_page import T0_NS, a_history, a_survey
from tests.dashboard.test_pages import visited
from tests.history.series import HOURS, QUOTES
from tests.test_docs import parse
from workstation.client.collection import CollectionView
from workstation.client.jobs import DownloadGap, DownloadResult, JobKind, JobState, JobView
from workstation.client.messages import FeedView, Health
from workstation.dashboard.controls import Outcome
from workstation.dashboard.declaring import FormRefused
from workstation.dashboard.download_rows import (
    collection_row,
    collections_in_order,
    download_row,
    downloads_of,
    outcome_of,
    running_line,
)
from workstation.dashboard.downloading import (
    CollectionWords,
    DownloadWords,
    collection_of,
    download_command,
    download_of,
    download_preview,
    first_words,
    words_of_series,
)
from workstation.dashboard.pages.data import DataPage
from workstation.dashboard.pages.download_form import DownloadForm
from workstation.dashboard.state import EngineState
from workstation.dashboard.users import Role
from workstation.dashboard.visit import Visit
from workstation.history.collection import CollectionState
from workstation.model.durations import DAY_NS, HOUR_NS, MINUTE_NS, SECOND_NS

NOW_NS = T0_NS + 30 * DAY_NS
WORDS = DownloadWords(
    venue="nova", data_kind="bars", symbol="BTC/USDT", interval="1m", start="2024-05-01", end="2024-05-02T12:30"
)
HOSTILE = "<img src=x onerror=alert(1)>"
pytestmark = pytest.mark.filterwarnings("ignore:button_type:PendingDeprecationWarning")


def a_download(**told: Any) -> JobView:
    given: dict[str, Any] = {
        "job": "download-1", "kind": JobKind.DOWNLOAD, "session": None, "strategy": None,
        "series": "bars nova:BTC/USDT 1m", "instruments": ("nova:BTC/USDT",), "state": JobState.RUNNING, "reason": "",
        "by": "ada", "asked_ns": T0_NS, "start_ns": T0_NS, "rows": 1_200, "progress": 0.429, "rows_per_s": 40.0,
        "left_s": 30.4, "folder": "/home/jobs/download-1",
    }  # fmt: skip
    return JobView(**(given | told))


def a_result(**told: Any) -> DownloadResult:
    given: dict[str, Any] = {
        "rows_stored": 1_440, "rows_known": 0, "rows_differing": 0, "questions": 2, "refused": 0, "first_ns": T0_NS,
        "bars": 1_440, "bars_missing": 0, "gap_count": 0,
    }  # fmt: skip
    return DownloadResult(**(given | told))


def a_collection(**told: Any) -> CollectionView:
    given: dict[str, Any] = {
        "name": "night", "state": CollectionState.RUNNING, "reason": "", "by": "ada", "is_of_engine": True,
        "instruments": ("nova:BTC/USDT",), "venues": ("nova",), "symbols": ("BTC/USDT",), "trades": True,
        "intervals": ("1m",), "funding": False, "book_levels": 10, "begun_ns": T0_NS, "planned_end_ns": None,
        "ended_ns": None, "rows": 7, "dropped": 0, "conflated": 0, "last_ns": T0_NS, "gap_count": 1,
    }  # fmt: skip
    return CollectionView(**(given | told))


def problems_of(words: DownloadWords | CollectionWords) -> dict[str, str]:
    with pytest.raises(FormRefused) as refused:
        if isinstance(words, DownloadWords):
            download_of(words, ("nova", "orion"), NOW_NS)
        else:
            collection_of(words)
    return dict(refused.value.problems)


def test_words_become_the_download_that_the_same_command_would_be() -> None:
    job = download_of(WORDS, ("nova",), NOW_NS)
    assert (job.series, job.start_ns, job.end_ns) == (
        "bars nova:BTC/USDT 1m", T0_NS, T0_NS + DAY_NS + 12 * HOUR_NS + 30 * MINUTE_NS)  # fmt: skip
    assert download_preview(job, NOW_NS).startswith("1.52 d, up to 2,190 bars; ")
    assert "up to 1,440 bars" in download_preview(job, T0_NS + DAY_NS)
    for words in (WORDS, replace(WORDS, end=""), replace(WORDS, data_kind="funding")):
        parse(shlex.split(download_command(download_of(words, ("nova",), NOW_NS), words))[1:])


@pytest.mark.parametrize(
    ("changes", "field", "sentence"),
    [
        ({"venue": "lyra"}, "venue", "lyra: expected one of nova, orion"),
        ({"symbol": HOSTILE}, "symbol", "expected BASE/QUOTE"),
        ({"symbol": ""}, "symbol", "expected BASE/QUOTE"),
        ({"interval": "7m"}, "interval", "interval '7m': expected one of"),
        ({"start": ""}, "start", "nothing: expected a date or a time, such as 2024-05-01"),
        ({"start": "2024-06-01"}, "start", "2024-06-01: is not past"),
        ({"end": "2024-05-01"}, "end", "2024-05-01: expected a time after 2024-05-01"),
        ({"end": "soon"}, "end", "soon: expected a date, a time, or nothing"),
        ({"data_kind": "quotes"}, "data_kind", "expected"),
    ],
)
def test_a_field_that_cannot_be_has_its_sentence(changes: dict[str, str], field: str, sentence: str) -> None:
    problems = problems_of(replace(WORDS, **changes))
    assert list(problems) == [field] and sentence in problems[field]


def test_a_chosen_series_offers_its_longest_gap_and_one_without_what_came_after_it(tmp_path: Path) -> None:
    series, figures = a_survey(a_history(tmp_path))
    hours, quotes = (next(one for one in series if one.name == str(name)) for name in (HOURS, QUOTES))
    offered = words_of_series(quotes, figures[str(QUOTES)], NOW_NS)
    assert (offered.data_kind, offered.interval) == ("bars", "1m")  # quotes of the past no venue gives
    assert (offered.start, offered.end) == ("2024-05-01T00:04", "2024-05-01T00:15")
    offered = words_of_series(hours, figures[str(HOURS)], NOW_NS)
    assert (offered.data_kind, offered.interval, offered.start, offered.end) == ("bars", "1h", "2024-05-01T23:00", "")
    gap = (T0_NS + SECOND_NS, T0_NS + MINUTE_NS + SECOND_NS)
    offered = words_of_series(hours, None, NOW_NS, gap)
    assert (offered.start, offered.end) == ("2024-05-01", "2024-05-01T00:02")
    download_of(first_words("nova", "BTC/USDT", NOW_NS), ("nova",), NOW_NS)


def test_words_become_a_collection_and_what_cannot_be_is_said() -> None:
    words = CollectionWords(venues=("nova",), symbols="BTC/USDT, ETH/USDT,BTC/USDT", intervals="1m,1h", length="2h")
    request = collection_of(words)
    assert (request.symbols, request.intervals, request.seconds) == (("BTC/USDT", "ETH/USDT"), ("1m", "1h"), 7_200.0)
    assert (request.name, request.book_levels, request.trades, request.funding) == (None, 0, True, False)
    wrong = CollectionWords(name="a/b", symbols=f"BTC/USDT,{HOSTILE}", intervals="7m", book_levels="99", length="soon")
    assert list(problems_of(wrong)) == ["symbols", "intervals", "book_levels", "length"]
    assert "letters, digits" in problems_of(replace(words, name="a/b"))["name"]
    assert list(problems_of(replace(words, symbols=" , "))) == ["symbols"]


def test_a_download_is_a_row_and_a_line_with_what_holds_it_up() -> None:
    row = download_row(a_download())
    assert (row["what"], row["venue"], row["symbol"], row["end"]) == ("bars 1m", "nova", "BTC/USDT", "now")
    assert (row["done"], row["left"], row["state"]) == (0.429, 30, "● running")
    assert download_row(a_download(series="trades nova:BTC/USDT"))["what"] == "trades"
    assert running_line(a_download()) == "Downloading bars nova:BTC/USDT 1m: 42 %, 1,200 rows, about 30 s left"
    told = [running_line(a_download(left_s=left_s)).rpartition("about ")[2] for left_s in (89.0, 91.0, 5_400.0)]
    assert told == ["89 s left", "2 min left", "2 h left"]
    assert running_line(a_download(note="429", left_s=None)).endswith("1,200 rows: 429")
    replay = a_download(job="replay-2", kind=JobKind.REPLAY)
    assert [one.job for one in downloads_of([a_download(), replay, a_download(job="download-3")])] == [
        "download-3", "download-1"]  # fmt: skip


@pytest.mark.parametrize(
    ("result", "words"),
    [
        (a_result(), "1,440 rows stored; no gap"),
        (a_result(questions=0, rows_stored=0), "all of it was asked for before; no gap"),
        (a_result(bars=None, bars_missing=None, gap_count=None), "1,440 rows stored"),
        (a_result(rows_stored=0, first_ns=None, bars=None, gap_count=None), "0 rows stored; the venue has none"),
        (
            a_result(gap_count=2, gaps=(DownloadGap(from_ns=0, to_ns=HOUR_NS), DownloadGap(from_ns=0, to_ns=1))),
            "1,440 rows stored; 2 gaps, the longest 1 h",
        ),
    ],
)
def test_what_came_of_a_download_is_said_with_its_gaps(result: DownloadResult, words: str) -> None:
    assert outcome_of(a_download(state=JobState.DONE, result=result)) == words


def test_why_a_download_ended_is_said_in_its_own_words() -> None:
    assert outcome_of(a_download(state=JobState.FAILED, reason=HOSTILE)) == HOSTILE
    assert outcome_of(a_download(note="the venue says 429: asked again")) == "the venue says 429: asked again"


def test_collections_that_go_on_stand_first_and_tell_their_kinds() -> None:
    old = a_collection(name="old", state=CollectionState.STOPPED, ended_ns=T0_NS + DAY_NS, begun_ns=T0_NS + 1)
    assert [one.name for one in collections_in_order([old, a_collection()])] == ["night", "old"]
    row = collection_row(a_collection())
    assert (row["kinds"], row["until"], row["gaps"]) == ("quotes, trades, bars 1m, books of 10", None, 1)
    assert (row["last"], collection_row(old)["last"]) == (T0_NS // 1_000_000, None)
    assert collection_row(old)["until"] == "2024-05-02 00:00"


def a_page(visit: Visit, **told: Any) -> DataPage:
    visit.surveyor.want = lambda: None  # type: ignore[method-assign]
    visit.link.state = EngineState(heard_s=1e12, loss="", jobs=(a_download(),), collections=(a_collection(),), **told)
    page = DataPage(visit, {})
    page.view().get_root(Document())
    return page


@pytest.mark.parametrize(("role", "may"), [(Role.VIEWER, False), (Role.TRADER, True)])
def test_only_who_may_act_has_live_buttons(tmp_path: Path, role: Role, may: bool) -> None:
    def looked(visit: Visit) -> None:
        filling = a_page(visit).filling
        assert (filling.downloads.acts, filling.collections.acts) == (may, may)
        assert (filling.new_download.disabled, filling.new_collection.disabled) == (not may, not may)
        filling.download(WORDS)
        assert bool(filling.forms().objects) is may
        filling.show(replace(visit.state, loss="the engine does not answer"))
        assert filling.new_download.disabled and not filling.downloads.acts and filling.waiting.visible

    visited(tmp_path, looked, role)


def test_a_form_that_opens_says_nothing_of_fields_that_it_is_still_to_fill(tmp_path: Path) -> None:
    def looked(visit: Visit) -> None:
        feeds = (FeedView.model_construct(venue="nova"),)
        visit.link.state = replace(visit.link.state, health=Health.model_construct(feeds=feeds))
        form, said = DownloadForm(visit), list[Any]()
        for field in form.fields.values():
            field.param.watch(lambda event: said.append(event.new), "error_state")
        form.open_at(None)
        assert form.venue.value == "nova" and form.words().start
        assert not any(said)

    visited(tmp_path, looked)


def test_a_gap_that_is_pressed_is_what_the_form_begins_with_and_the_engine_s_refusal_stands_beside_its_field(
    tmp_path: Path,
) -> None:
    series, figures = a_survey(a_history(tmp_path / "history"))

    async def looked(visit: Visit) -> None:
        page = a_page(visit)
        visit.surveyor.series, visit.surveyor.figures = series, figures
        page.choose(str(QUOTES))
        page._on_gap({"start": "2024-05-01 00:04", "end": "2024-05-01 00:15", "length": "10 min"})
        form = page.filling._download
        assert form is not None and form.is_open and form.words().start == "2024-05-01T00:04"
        assert form.fields["venue"].error_state  # the engine of this test has told no venue
        form._point_at({"symbol": "nova:BTC/USDT: no such"})
        assert form.fields["symbol"].helper_text == "nova:BTC/USDT: no such"

    visited(tmp_path, looked)


def test_a_button_of_a_row_that_is_not_there_or_is_over_asks_nobody(tmp_path: Path) -> None:
    told: list[Outcome] = []

    async def looked(visit: Visit) -> None:
        visit.show_outcome = told.append
        filling = a_page(visit).filling
        for job in ("download-9", HOSTILE):
            await filling._on_cancel({"job": job})
        for name in ("gone", HOSTILE):
            await filling._on_stop({"name": name})
            await filling._on_collect_again({"name": name})
        await filling._on_collect_again({"name": "night"})  # it runs

    visited(tmp_path, looked)
    assert told == []
