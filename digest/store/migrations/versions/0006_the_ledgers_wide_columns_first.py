"""The ledger's wide columns first, so that PostgreSQL aligns a row without gaps; finished rows name no worker"""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_COLUMNS = (
    "id, not_before, lease_until, dated_at, finished_at, issue_id, subscriber_id, subscription_id, cut_id, attempts, "
    "state, reason, worker, provider_id"
)
_FINISHED = "state IN ('sent', 'failed', 'skipped')"


def upgrade() -> None:
    if op.get_bind().dialect.name != "postgresql":  # SQLite packs a row in whatever order
        op.execute(f"UPDATE delivery SET worker = '' WHERE worker <> '' AND {_FINISHED}")  # noqa: S608
        return
    op.execute("LOCK TABLE delivery IN ACCESS EXCLUSIVE MODE")
    op.execute(
        "CREATE TABLE delivery_new (id BIGINT NOT NULL DEFAULT nextval('delivery_id_seq'), "
        "not_before TIMESTAMPTZ, lease_until TIMESTAMPTZ, dated_at TIMESTAMPTZ, finished_at TIMESTAMPTZ, "
        "issue_id INTEGER NOT NULL, subscriber_id INTEGER NOT NULL, subscription_id INTEGER NOT NULL, cut_id INTEGER, "
        "attempts INTEGER NOT NULL, state VARCHAR NOT NULL, reason TEXT NOT NULL, worker VARCHAR NOT NULL, "
        "provider_id VARCHAR NOT NULL)"
    )
    values = _COLUMNS.replace("worker", f"CASE WHEN {_FINISHED} THEN '' ELSE worker END")
    op.execute(f"INSERT INTO delivery_new ({_COLUMNS}) SELECT {values} FROM delivery ORDER BY id")  # noqa: S608
    op.execute("ALTER SEQUENCE delivery_id_seq OWNED BY delivery_new.id")
    op.execute("DROP TABLE delivery")
    op.execute("ALTER TABLE delivery_new RENAME TO delivery")
    op.execute(
        "ALTER TABLE delivery ADD CONSTRAINT pk_delivery PRIMARY KEY (id), "
        "ADD CONSTRAINT uq_delivery_issue_id_subscriber_id UNIQUE (issue_id, subscriber_id), "
        "ADD CONSTRAINT fk_delivery_issue_id_issue FOREIGN KEY (issue_id) REFERENCES issue (id), "
        "ADD CONSTRAINT fk_delivery_subscriber_id_subscriber FOREIGN KEY (subscriber_id) REFERENCES subscriber (id), "
        "ADD CONSTRAINT fk_delivery_subscription_id_subscription FOREIGN KEY (subscription_id) "
        "REFERENCES subscription (id)"
    )
    op.execute("CREATE INDEX ix_delivery_due ON delivery (issue_id, state, not_before)")
    op.execute("CREATE INDEX ix_delivery_lease ON delivery (lease_until) WHERE state = 'sending'")


def downgrade() -> None:
    """The order of columns means nothing to the code: nothing has to be undone."""
