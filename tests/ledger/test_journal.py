"""The journal keeps groups whole, in order, durable, and notices any change."""

import contextlib
import sqlite3
import threading

import pytest

from tests.ledger.examples import RUN, SESSION, a_fact, a_group, every_fact
from workstation.errors import BadInput, JournalCorrupt, JournalStalled, JournalWriteFailed, OperatorError, RunNotFound
from workstation.ledger.journal import Ledger, read_facts, read_rows
from workstation.ledger.writer import Group
from workstation.model.ids import RunId, SessionId

OTHER = SessionId("other")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "ledger.sqlite"


def write(path, *groups, session=SESSION, run=RUN):
    with Ledger.open(path) as ledger:
        ledger.begin_run(session, run, b"{}")
        for group in groups:
            ledger.append(session, group)


def edit(path, *statements):
    """Changes the file as somebody would who is not the ledger."""
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        for action in ("update", "delete"):
            connection.execute(f"DROP TRIGGER IF EXISTS journal_no_{action}")
        for statement in statements:
            connection.execute(statement)


class Held:
    """Keeps the ledger's writer busy until the block ends, so that a test can fill the queue."""

    def __init__(self, ledger):
        self.release = threading.Event()
        self.reached = threading.Event()
        ledger._writer.put(Group(SessionId("held"), self.hold))

    def hold(self, batch):
        self.reached.set()
        self.release.wait()

    def __enter__(self):
        self.reached.wait()

    def __exit__(self, *_error):
        self.release.set()


# -- what is kept


def test_facts_come_back_in_order(path):
    write(path, every_fact()[:10], every_fact()[10:])
    assert list(read_facts(path, SESSION)) == every_fact()


def test_facts_can_be_read_from_a_position_on(path):
    write(path, every_fact())
    assert list(read_facts(path, SESSION, start=5)) == every_fact()[5:]


def test_the_next_run_continues_the_chain(path):
    write(path, a_group(0))
    write(path, a_group(1), run=RunId("b"))
    rows = list(read_rows(path, SESSION))
    assert [row.position for row in rows] == list(range(6))
    assert [row.position for row in read_rows(path, SESSION, RunId("b"))] == [3, 4, 5]


def test_sessions_have_chains_of_their_own(path):
    write(path, a_group(0))
    write(path, a_group(0), session=OTHER, run=RunId("b"))
    assert [row.position for row in read_rows(path, OTHER)] == [0, 1, 2]


def test_the_same_facts_give_the_same_chain_in_any_grouping(path, tmp_path):
    facts = every_fact()
    write(path, facts)
    write(tmp_path / "two.sqlite", *([fact] for fact in facts), run=RunId("another"))
    assert [row.hash for row in read_rows(path, SESSION)] == [
        row.hash for row in read_rows(tmp_path / "two.sqlite", SESSION)
    ]


def test_a_ticket_returns_once_its_group_is_durable(path):
    with Ledger.open(path) as ledger:
        ledger.begin_run(SESSION, RUN, b"{}")
        ledger.append(SESSION, a_group(0)).wait(10)
        assert len(list(read_rows(path, SESSION))) == 3


def test_waiting_groups_are_committed_together(path):
    with Ledger.open(path) as ledger:
        ledger.begin_run(SESSION, RUN, b"{}")
        before = ledger.commits
        with Held(ledger):
            for number in range(50):
                ledger.append(SESSION, a_group(number))
            assert (ledger.queue_depth, ledger.oldest_pending_s > 0) == (50, True)
        ledger.flush()
        assert (ledger.commits - before, ledger.rows_written, ledger.queue_depth) == (2, 150, 0)


def test_two_threads_append_whole_groups_in_their_own_order(path):
    with Ledger.open(path) as ledger:
        for session in (SESSION, OTHER):
            ledger.begin_run(session, RunId(session), b"{}")

        def append_all(session, first):
            for number in range(first, 400, 2):
                ledger.append(session, a_group(number))

        work = ((SESSION, 0), (SESSION, 1), (OTHER, 0), (OTHER, 1))
        threads = [threading.Thread(target=append_all, args=arguments) for arguments in work]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    for session in (SESSION, OTHER):
        numbers = [fact.sequence for fact in read_facts(path, session)]
        groups = numbers[::3]
        assert numbers == [number for number in groups for _ in range(3)]
        assert [n for n in groups if n % 2] == list(range(1, 400, 2))
        assert [n for n in groups if not n % 2] == list(range(0, 400, 2))


def test_runs_say_where_they_started(path):
    write(path, a_group(0))
    write(path, run=RunId("b"))
    with Ledger.open(path) as ledger:
        assert [(run.run_id, run.session_id, run.manifest, run.started_position) for run in ledger.runs()] == [
            (RUN, SESSION, b"{}", 0),
            ("b", SESSION, b"{}", 3),
        ]
        with pytest.raises(RunNotFound, match=r"2026-03-01-x.*nearest: 2026-03-01-a"):
            ledger.run(RunId("2026-03-01-x"))
        with pytest.raises(BadInput, match="already"):
            ledger.begin_run(SESSION, RUN, b"{}")


def test_the_latest_run_of_each_session_is_known(path):
    with Ledger.open(path) as ledger:
        for session, run in ((SESSION, "a"), (OTHER, "b"), (SESSION, "c"), (OTHER, "d"), (SESSION, "e")):
            ledger.begin_run(session, RunId(run), run.encode())
        latest = [(run.session_id, run.run_id, run.manifest) for run in ledger.latest_runs()]
        assert latest == [(SESSION, "e", b"e"), (OTHER, "d", b"d")]
        assert ledger.run_ids(SESSION) == ["a", "c", "e"]
        assert ledger.run_ids(SessionId("nobody")) == []


def test_the_latest_snapshot_replaces_the_one_before(path):
    with Ledger.open(path) as ledger:
        ledger.begin_run(SESSION, RUN, b"{}")
        assert ledger.latest_snapshot(SESSION) is None
        ledger.append(SESSION, a_group(0))
        ledger.save_snapshot(SESSION, 0, b"first")
        ledger.save_snapshot(SESSION, 2, b"second").wait()
        assert ledger.latest_snapshot(SESSION) == (2, b"second")


def test_a_snapshot_of_a_row_that_is_not_there_is_refused(path):
    with Ledger.open(path) as ledger:
        ledger.begin_run(SESSION, RUN, b"{}")
        with pytest.raises(JournalWriteFailed, match="FOREIGN KEY"):
            ledger.save_snapshot(SESSION, 0, b"").wait()


# -- what is refused


def test_a_session_without_a_run_cannot_append(path):
    with Ledger.open(path) as ledger, pytest.raises(BadInput, match="before begin_run"):
        ledger.append(SESSION, a_group(0))


def test_a_full_queue_halts_and_drops_nothing(path):
    with Ledger.open(path, queue_groups=2) as ledger:
        ledger.begin_run(SESSION, RUN, b"{}")
        with Held(ledger):
            ledger.append(SESSION, a_group(0))
            ticket = ledger.append(SESSION, a_group(1))
            with pytest.raises(JournalStalled, match="2 groups wait"):
                ledger.append(SESSION, a_group(2))
            with pytest.raises(JournalStalled, match="not durable"):
                ticket.wait(0)
        ticket.wait()
    assert len(list(read_rows(path, SESSION))) == 6


def test_a_second_intent_of_one_order_is_refused_with_all_that_its_session_queued_behind_it(path):
    with Ledger.open(path) as ledger:
        for session in (SESSION, OTHER):
            ledger.begin_run(session, RunId(session), b"{}")
        with Held(ledger):
            first = ledger.append(SESSION, [a_fact(1)])
            second = ledger.append(SESSION, [a_fact(2), a_fact(1)])
            behind = ledger.append(SESSION, [a_fact(3)])
            others = ledger.append(OTHER, [a_fact(4)])
        first.wait()
        others.wait()
        for ticket in (second, behind):
            with pytest.raises(JournalWriteFailed, match=rf"client_order_id.*{SESSION}"):
                ticket.wait()
        with pytest.raises(JournalWriteFailed):
            ledger.append(SESSION, [a_fact(5)])
        ledger.append(OTHER, [a_fact(6)]).wait()
        ledger.resume()
        ledger.append(SESSION, [a_fact(7)]).wait()
    assert [fact.sequence for fact in read_facts(path, SESSION)] == [1, 7]
    assert [fact.sequence for fact in read_facts(path, OTHER)] == [4, 6]


def test_a_refused_session_leaves_the_others_their_places_in_the_queue(path):
    with Ledger.open(path) as ledger:
        for session in (SESSION, OTHER):
            ledger.begin_run(session, RunId(session), b"{}")
        ledger.append(SESSION, [a_fact(1)]).wait()
        with Held(ledger):
            same_batch = Held(ledger)
            ledger.append(SESSION, [a_fact(1)])
        with same_batch:
            behind = ledger.append(SESSION, [a_fact(2)])
            others = ledger.append(OTHER, [a_fact(3)])
        others.wait()
        with pytest.raises(JournalWriteFailed, match="client_order_id"):
            behind.wait()
    assert [fact.sequence for fact in read_facts(path, SESSION)] == [1]
    assert [fact.sequence for fact in read_facts(path, OTHER)] == [3]


def test_after_a_broken_writer_nothing_is_taken(path, monkeypatch):
    monkeypatch.setattr(threading, "excepthook", lambda _arguments: None)
    ledger = Ledger.open(path)

    def broken(_batch):
        raise ZeroDivisionError

    ticket = ledger._writer.put(Group(SESSION, broken))
    with pytest.raises(JournalWriteFailed, match="ZeroDivisionError"):
        ticket.wait()
    with pytest.raises(JournalWriteFailed):
        ledger.flush()
    with pytest.raises(JournalWriteFailed, match="ZeroDivisionError"):
        ledger.close()
    with pytest.raises(JournalWriteFailed, match="open the ledger again"):
        ledger.resume()
    Ledger.open(path).close()


def test_a_closed_ledger_takes_nothing(path):
    ledger = Ledger.open(path)
    ledger.close()
    with pytest.raises(JournalWriteFailed, match="closed"):
        ledger.flush()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE journal SET body = '{}'",
        "DELETE FROM journal",
        "UPDATE run SET manifest = x''",
        "DELETE FROM run",
        "INSERT OR REPLACE INTO run SELECT * FROM run",
    ],
)
def test_triggers_refuse_to_change_what_is_written(path, statement):
    write(path, a_group(0))
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA recursive_triggers=ON")
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            connection.execute(statement)


def test_replacing_a_row_is_refused_on_the_writers_connection(path):
    write(path, a_group(0))
    with Ledger.open(path) as ledger:
        replace = "INSERT OR REPLACE INTO run SELECT * FROM run"
        ticket = ledger._writer.put(Group(SESSION, lambda batch: batch.connection.exec_driver_sql(replace)))
        with pytest.raises(JournalWriteFailed, match="append-only"):
            ticket.wait()


# -- what is noticed


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("UPDATE journal SET body = replace(body, '1 of', '2 of') WHERE position = 4", "position 4: .*was changed"),
        ("UPDATE journal SET sequence = 9 WHERE position = 0", "position 0: .*was changed"),
        ("UPDATE journal SET ts_due = 0 WHERE position = 0", "position 0: .*was changed"),
        ("UPDATE journal SET previous_hash = hash WHERE position = 2", "position 2: previous hash"),
        ("UPDATE journal SET hash = zeroblob(32) WHERE position = 2", "position 2: .*was changed"),
        ("DELETE FROM journal WHERE position = 3", "position 3: the row is missing; the next one is 4"),
        ("DELETE FROM journal WHERE position = 0", "position 0: the row is missing; the next one is 1"),
    ],
)
def test_the_chain_notices_a_changed_row(path, statement, message):
    write(path, a_group(0), a_group(1))
    edit(path, statement)
    with pytest.raises(JournalCorrupt, match=rf"{SESSION}, {message}"):
        list(read_rows(path, SESSION))


def test_the_chain_notices_swapped_rows(path):
    write(path, a_group(0), a_group(1))
    swap = [f"UPDATE journal SET position = {new} WHERE position = {old}" for old, new in ((1, -1), (2, 1), (-1, 2))]
    edit(path, *swap)
    with pytest.raises(JournalCorrupt, match="position 1: previous hash"):
        list(read_rows(path, SESSION))


def test_rows_before_the_change_are_still_read(path):
    write(path, *(a_group(number) for number in range(100)))
    edit(path, "UPDATE journal SET sequence = 1 WHERE position = 250")
    facts = read_facts(path, SESSION)
    assert [next(facts).sequence for _ in range(200)][-1] == 66


def test_a_lost_tail_is_noticed_when_the_ledger_is_opened(path):
    write(path, a_group(0), a_group(1))
    edit(path, "DELETE FROM journal WHERE position >= 4")
    assert len(list(read_rows(path, SESSION))) == 4  # the chain of what is left holds
    with pytest.raises(JournalCorrupt, match=r"ends at position 3, but 5 was durable; 2 rows are missing.*backup"):
        Ledger.open(path)


def test_a_lost_ledger_is_noticed(path):
    write(path, a_group(0))
    path.unlink()
    with pytest.raises(JournalCorrupt, match="3 rows are missing"):
        Ledger.open(path)


def test_a_changed_last_row_is_noticed_when_the_ledger_is_opened(path):
    write(path, a_group(0))
    edit(path, "UPDATE journal SET hash = zeroblob(32) WHERE position = 2")
    with pytest.raises(JournalCorrupt, match=r"position 2.*was changed"):
        Ledger.open(path)


def test_a_refused_ledger_is_not_left_locked(path):
    write(path, a_group(0))
    mark = path.with_name("ledger.sqlite.mark")
    mark.write_text("{")
    with pytest.raises(JournalCorrupt, match="high-water mark"):
        Ledger.open(path)
    mark.unlink()
    Ledger.open(path).close()


def test_an_unreadable_file_is_refused_with_a_sentence(path):
    path.write_bytes(b"not a database at all" * 100)
    with pytest.raises(OperatorError, match="not readable as a ledger"):
        Ledger.open(path)


def test_a_missing_ledger_cannot_be_read(path):
    with pytest.raises(OperatorError, match="no such file"):
        list(read_rows(path, SESSION))


def test_a_damaged_page_is_corruption(path):
    write(path, *(a_group(number) for number in range(200)))
    content = bytearray(path.read_bytes())
    content[40_000:60_000] = b"\xff" * 20_000
    path.write_bytes(content)
    with pytest.raises(JournalCorrupt):
        list(read_rows(path, SESSION))
