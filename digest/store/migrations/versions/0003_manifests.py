"""What each approved issue was printed from"""

import sqlalchemy as sa
import sqlmodel
import sqlmodel.sql.sqltypes
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "manifest",
        sa.Column("issue_id", sa.Integer(), nullable=False),
        sa.Column("printed_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["issue_id"], ["issue.id"], name=op.f("fk_manifest_issue_id_issue")),
        sa.PrimaryKeyConstraint("issue_id", name=op.f("pk_manifest")),
    )


def downgrade() -> None:
    op.drop_table("manifest")
