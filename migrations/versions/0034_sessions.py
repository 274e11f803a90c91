"""Session groups of exam papers, and how their scores are normalized (docs/decisions/0078).

Revision: 0034
Follows: 0035
"""

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0035"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.add_column("exam_papers", sa.Column("session_group", sa.String(), nullable=True), schema="ias")
    op.add_column(
        "exams", sa.Column("normalization", sa.String(), server_default="none", nullable=False), schema="ias"
    )


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.drop_column("exams", "normalization", schema="ias")
    op.drop_column("exam_papers", "session_group", schema="ias")
