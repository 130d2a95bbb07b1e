"""Runs, the append-only journal and snapshots."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
APPEND_ONLY = ("run", "journal")


def upgrade() -> None:
    _create_run()
    _create_journal()
    op.create_table(
        "snapshot",
        sa.Column("session_id", sa.Text, primary_key=True),
        sa.Column("position", INTEGER, nullable=False),
        sa.Column("state", sa.LargeBinary, nullable=False),
        sa.ForeignKeyConstraint(["session_id", "position"], ["journal.session_id", "journal.position"]),
        sqlite_strict=True,
    )
    for table in APPEND_ONLY:
        for action in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{action.lower()} BEFORE {action} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only: no {action}'); END"
            )


def downgrade() -> None:
    for table in ("snapshot", "journal", "run"):
        op.drop_table(table)


def _create_run() -> None:
    op.create_table(
        "run",
        sa.Column("run_id", sa.Text, primary_key=True),
        sa.Column("session_id", sa.Text, nullable=False),
        sa.Column("started_position", INTEGER, nullable=False),
        sa.Column("manifest", sa.LargeBinary, nullable=False),
        sa.Column("written_ns", INTEGER, nullable=False),
        sqlite_strict=True,
    )


def _create_journal() -> None:
    op.create_table(
        "journal",
        sa.Column("id", INTEGER, primary_key=True),
        sa.Column("run_id", sa.Text, sa.ForeignKey("run.run_id"), nullable=False),
        sa.Column("session_id", sa.Text, nullable=False),
        sa.Column("position", INTEGER, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("version", INTEGER, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("sequence", INTEGER, nullable=False),
        sa.Column("ts_received", INTEGER, nullable=False),
        sa.Column("ts_event", INTEGER),
        sa.Column("ts_decided", INTEGER),
        sa.Column("ts_due", INTEGER),
        sa.Column("market_row", sa.LargeBinary),
        sa.Column("previous_hash", sa.LargeBinary, nullable=False),
        sa.Column("hash", sa.LargeBinary, nullable=False),
        sa.Column("client_order_id", sa.Text, unique=True),
        sa.Column("written_ns", INTEGER, nullable=False),
        sa.UniqueConstraint("session_id", "position"),
        sqlite_strict=True,
    )
