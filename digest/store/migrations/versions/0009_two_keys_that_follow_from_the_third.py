"""PostgreSQL looks after one foreign key of the queue: the others follow from it, and each cost a statement a row"""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        for to in ("issue", "subscriber"):
            op.drop_constraint(f"fk_delivery_queue_{to}_id_{to}", "delivery_queue", type_="foreignkey")


def downgrade() -> None:
    """The code does not know of them: nothing has to be undone."""
