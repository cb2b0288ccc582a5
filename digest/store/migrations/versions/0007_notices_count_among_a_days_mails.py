"""Mails outside the issues count among a day's mails"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("send_day") as table:
        table.add_column(sa.Column("notices", sa.Integer(), nullable=False, server_default="0"))


def downgrade() -> None:
    with op.batch_alter_table("send_day") as table:
        table.drop_column("notices")
