"""Verifying from a page: apart, one at a time, told how far it is, ended when asked."""

import asyncio
import sys
from pathlib import Path

import msgspec
import pytest

from tests.faults.paper_process import request
from tests.faults.test_kill import write_history
from workstation.dashboard.session_facts import verification_lines
from workstation.dashboard.verification import Verification, Verifications, VerifierBusy, outcome_words
from workstation.errors import BadInput
from workstation.ledger.journal import Ledger
from workstation.model.ids import RunId
from workstation.research.replay import replay
from workstation.research.verify import Verified, verify
from workstation.research.verify_process import VerifyLine, verify_each

NOWHERE = Path("/nowhere")
SAME = Verified(run_id=RunId("s.1"), inputs=16, decisions=14, is_same_code=True)


def child(code: str) -> Verifications:
    """Of a child that does what the code says."""
    return Verifications(NOWHERE, NOWHERE, command=(sys.executable, "-c", code))


def says(*lines: VerifyLine) -> str:
    return f"print({chr(10).join(msgspec.json.encode(line).decode() for line in lines)!r}, flush=True)"


@pytest.fixture(scope="module")
def ledger(tmp_path_factory) -> Path:
    """Of one finished run."""
    folder = tmp_path_factory.mktemp("verified")
    with Ledger.open(folder / "ledger.db") as opened:
        replay(write_history(folder), request("s"), ledger=opened)
    return folder / "ledger.db"


def test_a_run_is_verified_in_a_process_of_its_own(ledger):
    async def verified() -> Verification:
        verifications = Verifications(ledger, ledger.parent / "strategies")
        verifications.start("s", ("s.1", "s.9"), "ada")
        await verifications.wait()
        return verifications.of("s")

    result = asyncio.run(verified())
    assert [bool(one.verified) for one in result.outcomes] == [True, False]
    assert "run s.9: not in ledger" in result.outcomes[1].failure
    assert not result.is_same and result.failure == "" and result.fraction == 1.0


def test_a_verified_run_is_told_with_its_numbers(ledger):
    told: list[VerifyLine] = []
    verify_each(ledger, ("s.1",), told.append, clock=iter(range(10_000)).__next__)
    assert told[0] == VerifyLine(run="s.1")
    assert any(one.total and one.done <= one.total for one in told[1:-1])
    assert told[-1].verified == verify(ledger, RunId("s.1"))


def test_one_session_at_a_time_is_verified():
    async def second() -> None:
        verifications = child("import time; time.sleep(60)")
        verifications.start("s", ("s.1",), "ada")
        try:
            with pytest.raises(VerifierBusy, match="session s is being verified"):
                verifications.start("t", ("t.1",), "ada")
        finally:
            await verifications.close()

    asyncio.run(second())


def test_what_is_cancelled_ends_and_keeps_the_runs_that_were_done():
    async def cancelled() -> Verification:
        verifications = child(f"{says(VerifyLine(run='s.1', verified=SAME))}\nimport time; time.sleep(60)")
        verifications.start("s", ("s.1", "s.2"), "ada")
        while not verifications.of("s").outcomes:
            await asyncio.sleep(0.01)
        assert verifications.of("s").fraction == 0.5
        await verifications.close()
        assert verifications.current is None
        return verifications.of("s")

    result = asyncio.run(cancelled())
    assert result.failure == "cancelled" and len(result.outcomes) == 1 and result.ended_s is not None
    assert verification_lines(result, 0.0)[0] == [["b", "Verifying was cancelled."]]


def test_a_process_that_dies_is_told_and_another_can_begin():
    async def died() -> Verification:
        verifications = child("raise SystemExit(3)")
        for _ in range(2):
            verifications.start("s", ("s.1",), "ada")
            await verifications.wait()
        return verifications.of("s")

    result = asyncio.run(died())
    assert result.failure == "its process ended with code 3"
    assert verification_lines(result, 0.0) == [[["down", "▲ Not verified: its process ended with code 3"]]]


def test_what_is_no_line_of_the_process_is_passed_over():
    async def chatty() -> Verification:
        verifications = child(f"print('hello')\n{says(VerifyLine(run='s.1', verified=SAME))}")
        verifications.start("s", ("s.1",), "ada")
        await verifications.wait()
        return verifications.of("s")

    assert asyncio.run(chatty()).is_same


def test_a_session_without_runs_is_refused():
    with pytest.raises(BadInput, match="session s: has no run to verify yet"):
        child("").start("s", (), "ada")


def test_progress_counts_each_run_the_same_and_foresees_the_rest():
    now = Verification(
        session="s", runs=("s.1", "s.2"), by="ada", began_s=100.0,
        outcomes=(VerifyLine(run="s.1", verified=SAME),), at=VerifyLine(run="s.2", done=50, total=100),
    )  # fmt: skip
    assert now.fraction == 0.75 and now.left_s(130.0) == 10.0
    assert verification_lines(now, 130.0)[0] == [["b", "Verifying: 75%"], " of 2 runs, about 10 s left"]


def test_an_outcome_says_what_was_compared_or_what_differs():
    same = "s.1: 16 inputs, 14 decisions, all the same"
    assert outcome_words(VerifyLine(run="s.1", verified=SAME)) == same
    changed = msgspec.structs.replace(
        VerifyLine(run="s.1"),
        verified=Verified(run_id=RunId("s.1"), inputs=16, decisions=14, is_same_code=False, beyond=2),
    )
    note = "the code has changed since the run; 2 facts behind the end of the recording were left out"
    assert outcome_words(changed) == f"{same} ({note})"
    assert outcome_words(VerifyLine(run="s.1", difference="position 7")) == "s.1: not the same: position 7"
    assert outcome_words(VerifyLine(run="s.1", failure="no rows")) == "s.1: could not be made again: no rows"
