"""Connections to the SQLite file: the one that writes, those that read, and the check of its schema's revision.

Write-ahead log, synchronous=FULL (a commit returns after its fsync), foreign keys, STRICT tables, BEGIN IMMEDIATE.
SQLite before 3.51.3 can corrupt a log that two read-write connections reset at once: so there is only ever one.
"""

import sqlite3
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import Connection, Engine, NullPool, create_engine, event
from sqlalchemy.exc import DatabaseError

from workstation.errors import BadInput, OperatorError
from workstation.ledger.schema import REVISIONS

_PRAGMAS = (
    "busy_timeout=5000",
    "journal_mode=WAL",
    "synchronous=FULL",
    "foreign_keys=ON",
    "trusted_schema=OFF",
    "recursive_triggers=ON",  # without it REPLACE would delete rows past the append-only triggers
)

EXPECTED = (
    "expected the file that workstation replay journals in (ledger.db by default; read_runs of "
    "workstation.ledger.journal lists its runs)"
)


def write_engine(path: Path) -> Engine:
    """The engine of the one read-write connection; its transactions begin IMMEDIATE."""

    def connect() -> sqlite3.Connection:
        connection = sqlite3.connect(path, isolation_level=None)
        for pragma in _PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")
        return connection

    engine = create_engine("sqlite://", creator=connect, poolclass=NullPool)
    event.listen(engine, "begin", _begin_immediate)
    return engine


def read_engine(path: Path) -> Engine:
    """The engine of read-only connections; usable while another process writes."""
    return create_engine("sqlite://", creator=lambda: connect_to_read(path), poolclass=NullPool)


def connect_to_read(path: Path) -> sqlite3.Connection:
    """One read-only connection of the driver itself: for the fold, as an engine makes each row a fifth dearer."""
    connection = sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True, isolation_level=None)
    connection.execute("PRAGMA busy_timeout=5000")
    connection.execute("PRAGMA trusted_schema=OFF")
    return connection


def bring_up_to_date(path: Path) -> None:
    """Creates the file's tables, or migrates an older file after copying it to `<name>.before-<revision>`.

    Raises OperatorError for a file that is no ledger, for one that a newer version wrote, and for a full disk.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    revision = stored_revision(path) if path.exists() else None
    if revision == REVISIONS[-1]:
        return
    from workstation.ledger.upgrade import migrate  # Alembic takes 0.4 s to import; a present ledger needs none of it

    if revision is not None:
        _copy(path, path.with_name(f"{path.name}.before-{REVISIONS[-1]}"))
    try:
        with write_engine(path).begin() as connection:
            migrate(connection)
    except DatabaseError as error:
        raise OperatorError(
            f"ledger {path}: its tables cannot be written: {error.orig}; make room or name another folder"
        ) from error


def require_present_schema(path: Path) -> None:
    """Raises OperatorError, saying what to do, unless a reader of this version understands the file."""
    refuse_folder(path)
    if not path.exists():
        raise OperatorError(f"ledger {path}: no such file: {EXPECTED}")
    revision = stored_revision(path)
    if revision is None:
        raise OperatorError(f"ledger {path}: an empty file: {EXPECTED}")
    if revision != REVISIONS[-1]:
        raise OperatorError(
            f"ledger {path}: its schema is revision {revision}, this version reads {REVISIONS[-1]}; "
            "start the engine on it once to bring it up to date"
        )


def refuse_folder(path: Path) -> None:
    """Raises BadInput for a folder, of which SQLite would say that the disk is at fault; an empty path too is one."""
    if path.is_dir():
        raise BadInput(f"ledger {path}: is a folder: {EXPECTED}")


def stored_revision(path: Path) -> str | None:
    """The file's schema revision; None for an empty file. Raises OperatorError as `bring_up_to_date` does."""
    try:
        with read_engine(path).connect() as connection:
            tables = {name for (name,) in connection.exec_driver_sql("SELECT name FROM sqlite_master")}
            if not tables:
                return None
            rows = (
                connection.exec_driver_sql("SELECT version_num FROM alembic_version").all()
                if "alembic_version" in tables
                else []
            )
    except DatabaseError as error:
        raise OperatorError(f"ledger {path}: not readable as a ledger: {error.orig}: {EXPECTED}") from error
    if not rows:
        found = ", ".join(sorted(tables))
        raise OperatorError(f"ledger {path}: a database, but not a ledger (tables {found}): {EXPECTED}")
    revision = str(rows[0][0])
    if revision not in REVISIONS:
        raise OperatorError(
            f"ledger {path}: a newer version wrote it (schema revision {revision}, this version knows up to "
            f"{REVISIONS[-1]}); open it with that version or a newer one"
        )
    return revision


def _copy(path: Path, target: Path) -> None:
    target.unlink(missing_ok=True)
    with read_engine(path).connect() as connection:
        connection.exec_driver_sql("VACUUM INTO ?", (str(target),))


def _begin_immediate(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")
