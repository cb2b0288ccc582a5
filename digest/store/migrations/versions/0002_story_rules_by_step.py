"""Rules between stories: which step of an editor wrote them, and whether it was taken back"""

import sqlalchemy as sa
import sqlmodel
import sqlmodel.sql.sqltypes
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("story_rule", schema=None) as batch_op:
        batch_op.add_column(sa.Column("step", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("revoked_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True))
        batch_op.add_column(
            sa.Column("revoked_by", sqlmodel.sql.sqltypes.AutoString(), nullable=False, server_default="")
        )
        batch_op.create_index(batch_op.f("ix_story_rule_step"), ["step"], unique=False)
    with op.batch_alter_table("story_rule", schema=None) as batch_op:
        batch_op.alter_column("revoked_by", server_default=None)
    # A step wrote its rules and its audit entry at one moment.
    op.execute(
        "UPDATE story_rule SET step = (SELECT min(entry.id) FROM audit_entry AS entry WHERE entry.at = story_rule.created_at "
        "AND entry.actor = story_rule.actor AND entry.action IN ('split', 'merge', 'move') AND entry.subject LIKE 'story:%')"
    )


def downgrade() -> None:
    with op.batch_alter_table("story_rule", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_story_rule_step"))
        batch_op.drop_column("revoked_by")
        batch_op.drop_column("revoked_at")
        batch_op.drop_column("step")
