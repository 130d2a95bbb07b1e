"""The ledger among processes: one writes, any reads, and a kill at any moment leaves whole groups."""

import random

import pytest

from tests.ledger.examples import SESSION
from tests.ledger.processes import read_line, start
from workstation.errors import JournalCorrupt, LedgerInUse, OperatorError
from workstation.ledger.journal import Ledger, read_facts, read_rows


@pytest.fixture
def path(tmp_path):
    return tmp_path / "ledger.sqlite"


def kill(process):
    process.kill()
    process.wait()
    process.stdout.close()


def test_a_second_process_is_refused_and_told_who_holds_it(path):
    with Ledger.open(path):
        second = start("try_open", path)
        assert read_line(second).startswith("LedgerInUse:")
        second.wait()
        second.stdout.close()


def test_the_lock_names_its_holder_and_dies_with_it(path):
    holder = start("hold", path)
    assert read_line(holder) == "held"
    with pytest.raises(LedgerInUse, match=f"process {holder.pid} on "):
        Ledger.open(path)
    kill(holder)
    Ledger.open(path).close()


def test_a_ledger_is_opened_once_within_a_process_too(path):
    with Ledger.open(path), pytest.raises(LedgerInUse):
        Ledger.open(path)


def test_another_process_reads_while_one_writes(path):
    writer = start("write_for_ever", path)
    durable = int(read_line(writer)) + 1
    reader = start("count_rows", path)
    seen = int(read_line(reader))
    assert seen >= 3 * durable
    assert seen % 3 == 0
    reader.wait()
    reader.stdout.close()
    kill(writer)


def test_a_kill_at_any_moment_leaves_whole_groups_and_every_durable_one(path):
    moments = random.Random(5)
    durable_before = 0
    for _ in range(5):
        writer = start("write_for_ever", path)
        for _ in range(moments.randrange(1, 120)):
            last_told = int(read_line(writer))
        kill(writer)
        facts = list(read_facts(path, SESSION))[durable_before:]
        assert len(facts) % 3 == 0
        assert [fact.sequence for fact in facts] == [number for number in range(len(facts) // 3) for _ in range(3)]
        assert len(facts) // 3 > last_told
        durable_before += len(facts)
    with Ledger.open(path) as ledger:
        assert len(ledger.runs()) == 5


def test_a_lost_log_is_noticed_behind_the_mark(path):
    writer = start("write_for_ever", path)
    while not path.with_name("ledger.sqlite.mark").exists():  # written after a thousand groups
        read_line(writer)
    kill(writer)
    for log in (path.with_name("ledger.sqlite-wal"), path.with_name("ledger.sqlite-shm")):
        log.unlink()
    with pytest.raises((JournalCorrupt, OperatorError)):
        Ledger.open(path)


def test_a_full_disk_refuses_harms_nothing_and_resumes(path):
    writer = start("fill_the_disk", path)
    lines = [read_line(writer) for _ in range(4)]
    writer.wait()
    writer.stdout.close()
    assert writer.returncode == 0
    assert lines[0].startswith("refused: journal")
    assert lines[1] == "refused before resume"
    told, stored = (int(part.split()[0]) for part in lines[2].split(", "))
    assert told == stored > 3
    assert lines[3] == f"{stored + 3} rows in the end"
    assert len(list(read_rows(path, SESSION))) == stored + 3
