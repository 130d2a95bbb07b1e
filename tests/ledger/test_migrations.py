"""Any older ledger opens, a newer one is refused, and the migrations lead to the tables that the code knows."""

import contextlib
import shutil
import sqlite3
import subprocess
import sys

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect

from tests.ledger.examples import RUN, SESSION, a_group
from tests.ledger.processes import ROOT
from workstation.errors import OperatorError
from workstation.ledger import database
from workstation.ledger.database import bring_up_to_date, read_engine, stored_revision, write_engine
from workstation.ledger.journal import Ledger, read_rows
from workstation.ledger.schema import METADATA, REVISIONS
from workstation.ledger.upgrade import FOLDER, migrate, migrate_back

NEXT = '''"""A next one."""
from alembic import op
revision = "9999"
down_revision = "{last}"
def upgrade():
    op.execute("CREATE TABLE added (name TEXT NOT NULL) STRICT")
def downgrade():
    op.drop_table("added")
'''


@pytest.fixture
def path(tmp_path):
    with Ledger.open(tmp_path / "ledger.sqlite") as ledger:
        ledger.begin_run(SESSION, RUN, b"{}")
        ledger.append(SESSION, a_group(0))
    return ledger.path


@pytest.fixture
def next_folder(tmp_path):
    """The migrations of a version that has one more."""
    folder = tmp_path / "migrations"
    shutil.copytree(FOLDER, folder, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "versions" / "r9999_next.py").write_text(NEXT.format(last=REVISIONS[-1]))
    return folder


def test_the_code_knows_every_revision():
    scripts = ScriptDirectory(str(FOLDER))
    assert [script.revision for script in scripts.walk_revisions()] == list(reversed(REVISIONS))


def test_the_migrations_lead_to_the_schema(path):
    with read_engine(path).connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []
        tables = connection.exec_driver_sql("SELECT name, strict FROM pragma_table_list WHERE schema = 'main'")
        assert {name for name, strict in tables if strict} == set(METADATA.tables)


def test_migrations_lead_back_to_nothing(path):
    with write_engine(path).begin() as connection:
        migrate_back(connection, "base")
        assert inspect(connection).get_table_names() == ["alembic_version"]


def test_an_older_ledger_opens_and_a_copy_is_kept(path, next_folder, monkeypatch):
    monkeypatch.setattr(database, "REVISIONS", (*REVISIONS, "9999"))
    monkeypatch.setattr(migrate, "__defaults__", ("head", next_folder))
    bring_up_to_date(path)
    assert stored_revision(path) == "9999"
    assert len(list(read_rows(path, SESSION))) == 3
    monkeypatch.undo()
    assert len(list(read_rows(path.with_name("ledger.sqlite.before-9999"), SESSION))) == 3


def test_a_reader_of_an_older_ledger_is_told_what_to_do(path, monkeypatch):
    monkeypatch.setattr(database, "REVISIONS", (*REVISIONS, "9999"))
    with pytest.raises(OperatorError, match="start the engine"):
        list(read_rows(path, SESSION))


def test_a_ledger_of_a_newer_version_is_refused(path, next_folder):
    with write_engine(path).begin() as connection:
        migrate(connection, folder=next_folder)
    for use in (Ledger.open, lambda path: list(read_rows(path, SESSION))):
        with pytest.raises(OperatorError, match=r"a newer version wrote it.*9999"):
            use(path)


def test_a_failed_migration_leaves_the_ledger_as_it_was(path, next_folder):
    script = next_folder / "versions" / "r9999_next.py"
    script.write_text(script.read_text().replace('STRICT")', 'STRICT"); 1 / 0'))
    with pytest.raises(ZeroDivisionError), write_engine(path).begin() as connection:
        migrate(connection, folder=next_folder)
    assert stored_revision(path) == REVISIONS[-1]
    with Ledger.open(path) as ledger:
        assert len(list(ledger.rows(SESSION))) == 3


def test_a_database_that_is_no_ledger_is_refused(tmp_path):
    path = tmp_path / "photos.sqlite"
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE photo (name TEXT)")
    with pytest.raises(OperatorError, match=r"not a ledger.*photo"):
        Ledger.open(path)


def test_a_present_ledger_opens_without_alembic(path):
    program = (
        "import sys; from pathlib import Path; from workstation.ledger.journal import Ledger; "
        "Ledger.open(Path(sys.argv[1])).close(); sys.exit('alembic' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program, str(path)], cwd=ROOT, check=False).returncode == 0


def test_a_new_ledger_on_a_full_disk_is_refused_with_a_sentence(tmp_path):
    program = (
        "import resource, sys\n"
        "from pathlib import Path\n"
        "from workstation.errors import OperatorError\n"
        "from workstation.ledger.journal import Ledger\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192))\n"
        "try:\n"
        "    Ledger.open(Path(sys.argv[1]))\n"
        "except OperatorError as error:\n"
        "    print(error)\n"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "ledger.db")]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    assert "its tables cannot be written" in done.stdout
    assert "make room" in done.stdout
