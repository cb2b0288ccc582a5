"""A small ledger: cuts and chosen topics by reference; the reader's hour; address hashes; articles that were sent"""

import sqlalchemy as sa
import sqlmodel
import sqlmodel.sql.sqltypes
from alembic import op

from digest.store.tables.base import Moment

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_MOMENTS = ("not_before", "lease_until", "dated_at", "finished_at")


def upgrade() -> None:
    is_postgresql = op.get_bind().dialect.name == "postgresql"
    _choices(is_postgresql)
    with op.batch_alter_table("subscriber", schema=None) as batch_op:
        for name in ("address_hash", "hash_key"):
            batch_op.add_column(sa.Column(name, sqlmodel.sql.sqltypes.AutoString(), nullable=False, server_default=""))
        batch_op.create_index(batch_op.f("ix_subscriber_hash_key"), ["hash_key"], unique=False)
    op.create_table(
        "sent_article",
        sa.Column("article_id", sa.Integer(), nullable=False),
        sa.Column("issue_id", sa.Integer(), nullable=False),
        sa.Column("story_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["issue_id"], ["issue.id"], name=op.f("fk_sent_article_issue_id_issue")),
        sa.PrimaryKeyConstraint("article_id", "issue_id", "story_id", name=op.f("pk_sent_article")),
    )
    op.create_index(op.f("ix_sent_article_issue_id"), "sent_article", ["issue_id"], unique=False)
    _cuts(is_postgresql)
    _ledger(is_postgresql)
    for table, names in (("subscriber", ("address_hash", "hash_key")), ("subscription", ("hour",))):
        with op.batch_alter_table(table, schema=None) as batch_op:
            for name in names:
                batch_op.alter_column(name, server_default=None)


def _choices(is_postgresql: bool) -> None:
    op.create_table(
        "choice_set",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_choice_set")),
        sa.UniqueConstraint("key", name=op.f("uq_choice_set_key")),
    )
    with op.batch_alter_table("subscription", schema=None) as batch_op:
        batch_op.add_column(sa.Column("hour", sqlmodel.sql.sqltypes.AutoString(), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("choice_set_id", sa.Integer(), nullable=True))
        batch_op.create_foreign_key(
            batch_op.f("fk_subscription_choice_set_id_choice_set"), "choice_set", ["choice_set_id"], ["id"]
        )
    # The topics of a subscription as the one text that stands for them (see domain.audience.TopicChoice).
    key = (
        "(SELECT string_agg(t.topic, ' ' ORDER BY t.topic COLLATE \"C\") FROM topic_choice AS t "
        "WHERE t.subscription_id = subscription.id)"
        if is_postgresql
        else "(SELECT group_concat(topic, ' ') FROM (SELECT t.topic FROM topic_choice AS t "
        "WHERE t.subscription_id = subscription.id ORDER BY t.topic))"
    )
    op.execute(f"INSERT INTO choice_set (key) SELECT DISTINCT {key} FROM subscription WHERE {key} IS NOT NULL")  # noqa: S608
    op.execute(f"UPDATE subscription SET choice_set_id = (SELECT c.id FROM choice_set AS c WHERE c.key = {key})")  # noqa: S608
    op.drop_table("topic_choice")


def _cuts(is_postgresql: bool) -> None:
    op.create_table(
        "cut",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("issue_id", sa.Integer(), nullable=False),
        sa.Column("bits", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.ForeignKeyConstraint(["issue_id"], ["issue.id"], name=op.f("fk_cut_issue_id_issue")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cut")),
        sa.UniqueConstraint("issue_id", "bits", name=op.f("uq_cut_issue_id_bits")),
    )
    op.execute("INSERT INTO cut (issue_id, bits) SELECT DISTINCT issue_id, cut FROM delivery WHERE cut <> ''")


def _ledger(is_postgresql: bool) -> None:
    op.drop_index("ix_delivery_due", "delivery")
    op.drop_index("ix_delivery_issue_state", "delivery")
    op.add_column("delivery", sa.Column("cut_id", sa.Integer(), nullable=True))
    op.execute(
        "UPDATE delivery SET cut_id = (SELECT c.id FROM cut AS c WHERE c.issue_id = delivery.issue_id "
        "AND c.bits = delivery.cut) WHERE cut <> ''"
    )
    with op.batch_alter_table("delivery", schema=None) as batch_op:
        batch_op.drop_column("cut")
        if not is_postgresql:
            for name in _MOMENTS:
                batch_op.alter_column(name, type_=Moment(), existing_nullable=True)
    if not is_postgresql:
        for name in _MOMENTS:
            micros = f"CAST(strftime('%s', {name}) AS INTEGER) * 1000000 + CAST(substr({name}, 21, 6) AS INTEGER)"
            op.execute(f"UPDATE delivery SET {name} = {micros} WHERE typeof({name}) = 'text'")  # noqa: S608
    in_hand = sa.text("state = 'sending'")
    op.create_index("ix_delivery_due", "delivery", ["issue_id", "state", "not_before"])
    op.create_index("ix_delivery_lease", "delivery", ["lease_until"], sqlite_where=in_hand, postgresql_where=in_hand)


def downgrade() -> None:
    raise NotImplementedError("topics are kept as sets from here on: go back by restoring a backup")
