"""What waits stands in a queue, what is settled in a ledger that is written once; the view ``delivery`` shows both"""

from typing import Any

import sqlalchemy as sa
import sqlmodel
import sqlmodel.sql.sqltypes
from alembic import op

from digest.store.tables.base import Moment

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_OPEN = "state IN ('queued', 'sending', 'unknown')"
_COLUMNS = (
    "issue_id, subscriber_id, subscription_id, cut_id, state, reason, not_before, dated_at, lease_until, attempts, worker, "
    "provider_id"
)
_VIEW = (
    "CREATE VIEW delivery AS "
    "SELECT (CAST(issue_id AS BIGINT) << 32) | subscriber_id AS id, {columns} FROM delivery_queue UNION ALL "
    "SELECT (CAST(issue_id AS BIGINT) << 32) | subscriber_id, issue_id, subscriber_id, subscription_id, cut_id, state, "
    "coalesce(reason, ''), {never}, dated_at, {never}, 0, '', coalesce(provider_id, '') FROM delivery_ledger"
)


def upgrade() -> None:
    is_postgresql = op.get_bind().dialect.name == "postgresql"
    if is_postgresql:
        op.execute("LOCK TABLE delivery IN ACCESS EXCLUSIVE MODE")
    op.add_column("issue", sa.Column("audience", sa.Integer(), nullable=True))
    op.add_column("issue", sa.Column("rests_until", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True))
    _queue()
    _ledger()
    # Rows that waited only for the server go at the moment that was set for them; from here on the issue rests instead.
    # A journal that a dead worker left names its rows by the ids that they had.
    op.execute(
        f"INSERT INTO delivery_queue ({_COLUMNS}, former_id, unknown_since) SELECT "  # noqa: S608
        f"{_COLUMNS.replace('reason', _without_waiting())}, CASE WHEN state <> 'queued' THEN id END, "
        f"CASE WHEN state = 'unknown' THEN finished_at END FROM delivery WHERE {_OPEN} ORDER BY issue_id, subscriber_id"
    )
    op.execute(
        "INSERT INTO delivery_ledger (issue_id, subscriber_id, subscription_id, cut_id, state, reason, dated_at, "  # noqa: S608
        "provider_id) SELECT issue_id, subscriber_id, subscription_id, cut_id, state, nullif(reason, ''), dated_at, "
        f"nullif(provider_id, '') FROM delivery WHERE NOT {_OPEN} ORDER BY issue_id, subscriber_id"
    )
    op.execute(
        "UPDATE issue SET audience = (SELECT count(*) FROM delivery WHERE delivery.issue_id = issue.id) "
        "WHERE EXISTS (SELECT 1 FROM delivery WHERE delivery.issue_id = issue.id)"
    )
    op.drop_table("delivery")
    op.create_index("ix_delivery_queue_due", "delivery_queue", ["issue_id", "not_before"], **_where("state = 'queued'"))
    op.create_index("ix_delivery_queue_lease", "delivery_queue", ["lease_until"], **_where("lease_until IS NOT NULL"))
    op.create_index("ix_delivery_ledger_unsent", "delivery_ledger", ["issue_id", "state"], **_where("state <> 'sent'"))
    never = "CAST(NULL AS TIMESTAMPTZ)" if is_postgresql else "NULL"
    op.execute(_VIEW.format(columns=_COLUMNS, never=never))


def _queue() -> None:
    op.create_table(
        "delivery_queue",
        sa.Column("not_before", Moment(), nullable=True),
        sa.Column("lease_until", Moment(), nullable=True),
        sa.Column("dated_at", Moment(), nullable=True),
        sa.Column("unknown_since", Moment(), nullable=True),
        sa.Column("former_id", sa.BigInteger(), nullable=True),
        sa.Column("issue_id", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("subscriber_id", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("subscription_id", sa.Integer(), nullable=False),
        sa.Column("cut_id", sa.Integer(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("state", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("worker", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("provider_id", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.PrimaryKeyConstraint("issue_id", "subscriber_id", name=op.f("pk_delivery_queue")),
        *(
            sa.ForeignKeyConstraint([f"{to}_id"], [f"{to}.id"], name=op.f(f"fk_delivery_queue_{to}_id_{to}"))
            for to in ("issue", "subscriber", "subscription")
        ),
        sqlite_with_rowid=False,
    )


def _ledger() -> None:
    op.create_table(
        "delivery_ledger",
        sa.Column("dated_at", Moment(), nullable=True),
        sa.Column("issue_id", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("subscriber_id", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("subscription_id", sa.Integer(), nullable=False),
        sa.Column("cut_id", sa.Integer(), nullable=True),
        sa.Column("state", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("provider_id", sqlmodel.sql.sqltypes.AutoString(), nullable=True),
        sa.PrimaryKeyConstraint("issue_id", "subscriber_id", name=op.f("pk_delivery_ledger")),
        sqlite_with_rowid=False,
    )


def _where(condition: str) -> dict[str, Any]:
    return {"sqlite_where": sa.text(condition), "postgresql_where": sa.text(condition)}


def _without_waiting() -> str:
    return "CASE WHEN reason = 'waiting for the mail server' THEN '' ELSE reason END"


def downgrade() -> None:
    raise NotImplementedError("rows are kept in two halves from here on: go back by restoring a backup")
