"""A session, a job and a journal's row, as the Sessions page shows them."""

from decimal import Decimal

from tests.dashboard.views import T0_NS, a_summary
from tests.faults.paper_process import request
from tests.faults.test_kill import write_history
from workstation.client.jobs import JobKind, JobResult, JobState, JobView
from workstation.client.messages import SessionStatus
from workstation.dashboard.journal_words import SHOWN_ROWS, event_name, event_words, journal_tail
from workstation.dashboard.session_facts import fact_groups
from workstation.dashboard.session_rows import JOBS, SESSIONS, in_order, job_row, places, session_row
from workstation.dashboard.tables import PRICE_DIGITS, QUANTITY_DIGITS
from workstation.ledger.journal import Ledger
from workstation.research.replay import replay

SECOND_NS, MS_NS = 1_000_000_000, 1_000_000
HIDDEN = (PRICE_DIGITS, QUANTITY_DIGITS)
JOB = JobView(
    job="replay-1", kind=JobKind.REPLAY, session="m-1", strategy="ma-cross", instruments=("nova:BTC/USDT",),
    state=JobState.RUNNING, reason="", by="ada", asked_ns=T0_NS, progress=0.427, left_s=12.6, folder="/jobs/replay-1",
)  # fmt: skip


def test_a_row_has_a_value_for_every_column():
    assert {one.name for one in SESSIONS} == set(session_row(a_summary())) - set(HIDDEN)
    assert {one.name for one in JOBS} == set(job_row(JOB)) - set(HIDDEN)


def test_sessions_that_run_come_first_stopped_ones_last_and_the_newest_first_within():
    told = [
        a_summary(name, status=status, started_ns=T0_NS + age)
        for name, status, age in (
            ("stopped", SessionStatus.STOPPED, 9), ("old", SessionStatus.RUNNING, 1),
            ("paused", SessionStatus.PAUSED, 8),
            ("new", SessionStatus.RUNNING, 2), ("killed", SessionStatus.KILLED, 7),
            ("ended", SessionStatus.STOPPED, 3),
        )
    ]  # fmt: skip
    assert [one.session for one in in_order(told)] == ["new", "old", "paused", "killed", "stopped", "ended"]


def test_what_is_not_known_is_none_and_never_zero():
    row = session_row(a_summary(equity=None, day_pnl=None))
    assert row["equity"] is row["result"] is row["day"] is None


def test_the_result_is_what_trading_made_not_what_it_opened_with():
    assert session_row(a_summary(opening_equity=Decimal(10_000), equity=Decimal("10012.5")))["result"] == 12.5


def test_a_state_is_told_by_shape_and_word_and_says_why():
    assert session_row(a_summary())["status"] == "● running"
    halted = a_summary(status=SessionStatus.HALTED, reason="strategy raised")
    assert session_row(halted)["status"] == "▲ halted: strategy raised"


def test_an_age_is_told_as_the_moment_since_which_it_grows():
    assert session_row(a_summary())["age"] == T0_NS // MS_NS
    assert job_row(JOB)["age"] == T0_NS // MS_NS


def test_two_venues_of_one_symbol_stand_behind_it():
    assert places(("nova:BTC/USDT:USDT", "orion:BTC/USDT:USDT")) == "BTC/USDT:USDT · nova, orion"


def test_a_jobs_row_says_how_far_it_is_and_what_came_of_it():
    assert {"done": 42, "left": 13, "trades": None, "profit": None}.items() <= job_row(JOB).items()
    result = JobResult(
        currency="USDT", figures={"trades": 7.0, "profit_quote": -1.5, "max_drawdown": -0.031}, rows=1, refused={},
        run=None, ledger=None, halted="strategy raised",
    )  # fmt: skip
    done = JOB.model_copy(update={"state": JobState.DONE, "progress": 1.0, "left_s": None, "result": result})
    expected = {"done": 100, "left": None, "trades": 7.0, "profit": -1.5, "drawdown": -3.1, "reason": "strategy raised"}
    assert expected.items() <= job_row(done).items()


def test_results_carry_their_sign_and_a_gap_is_told():
    rows = dict(fact_groups(a_summary(equity=Decimal(9_990), gap_ns=(T0_NS, T0_NS + 300 * SECOND_NS)), None)[0][1])
    assert rows["result"] == ["down", "−10.00 USDT"]
    assert rows["not watched before"] == "5 min, from 2023-11-14 22:13:20 UTC"
    unpriced = dict(fact_groups(a_summary(equity=None), None)[0][1])
    assert unpriced["result"] == unpriced["equity"] == "–"


def test_the_journals_end_is_told_in_words_newest_first(tmp_path):
    with Ledger.open(tmp_path / "ledger.db") as ledger:
        state = replay(write_history(tmp_path), request("s"), ledger=ledger).state
    rows = journal_tail(tmp_path / "ledger.db", "s", state.facts)
    assert 0 < len(rows) <= SHOWN_ROWS
    assert [row.position for row in rows] == sorted((row.position for row in rows), reverse=True)
    names = {event_name(row) for row in rows}
    assert "order filled" in names and "conditions changed" not in names
    filled = next(row for row in rows if event_name(row) == "order filled")
    words = event_words(filled)
    assert "price " in words and ("side buy" in words or "side sell" in words) and "_" not in words.split("client")[0]
