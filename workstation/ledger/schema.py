"""The ledger's tables as they are now; `migrations/` says how a file gets there.

Tables are STRICT; triggers refuse UPDATE and DELETE on `run` and `journal` (`migrations/versions/r0001_journal.py`).
"""

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)

REVISIONS = ("0001",)
"""Every Alembic revision, oldest first; append-only. Known here, so that opening a ledger need not import Alembic."""

METADATA = MetaData()

Integer64 = BigInteger().with_variant(Integer(), "sqlite")  # a STRICT table knows only INTEGER, of 64 bits

RUN = Table(
    "run",
    METADATA,
    Column("run_id", Text, primary_key=True),
    Column("session_id", Text, nullable=False),
    Column("started_position", Integer64, nullable=False),
    Column("manifest", LargeBinary, nullable=False),
    Column("written_ns", Integer64, nullable=False),
    sqlite_strict=True,
)

JOURNAL = Table(
    "journal",
    METADATA,
    Column("id", Integer64, primary_key=True),
    Column("run_id", Text, ForeignKey("run.run_id"), nullable=False),
    Column("session_id", Text, nullable=False),
    Column("position", Integer64, nullable=False),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("version", Integer64, nullable=False),
    Column("body", Text, nullable=False),
    Column("sequence", Integer64, nullable=False),
    Column("ts_received", Integer64, nullable=False),
    Column("ts_event", Integer64),
    Column("ts_decided", Integer64),
    Column("ts_due", Integer64),
    Column("market_row", LargeBinary),
    Column("previous_hash", LargeBinary, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    # of an OrderSubmitted alone: one intent, at most one order
    Column("client_order_id", Text, unique=True),
    Column("written_ns", Integer64, nullable=False),
    UniqueConstraint("session_id", "position"),
    sqlite_strict=True,
)

SNAPSHOT = Table(
    "snapshot",
    METADATA,
    Column("session_id", Text, primary_key=True),
    Column("position", Integer64, nullable=False),
    Column("state", LargeBinary, nullable=False),
    ForeignKeyConstraint(["session_id", "position"], ["journal.session_id", "journal.position"]),
    sqlite_strict=True,
)
