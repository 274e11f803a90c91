"""The number of ranked candidates of each test, by which lists are ordered.

Revision: 0021
Follows: 0020
"""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.create_table(
        "test_popularity",
        sa.Column("test_id", sa.Uuid(), nullable=False),
        sa.Column("participants", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["test_id"], ["ias.tests.id"], name=op.f("fk_test_popularity_test_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("test_id", name=op.f("pk_test_popularity")),
        schema="ias",
    )


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.drop_table("test_popularity", schema="ias")
