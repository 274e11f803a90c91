"""Sketches are linked in memory (decision 0032): their index was written each time, and read by nobody.

Revision: 0007
Follows: 0006
"""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.drop_index("ix_question_versions_sketch", table_name="question_versions", schema="ias")


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.create_index(
        "ix_question_versions_sketch",
        "question_versions",
        ["sketch"],
        unique=False,
        schema="ias",
        postgresql_using="gin",
        postgresql_with={"fastupdate": "off"},
    )
