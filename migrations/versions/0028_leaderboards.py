"""An index of ranked results by score, for leaderboards (docs/decisions/0071).

It locks `results` against writes while it is built: docs/deployment.md says how long.

Revision: 0028
Follows: 0026
"""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.create_index(
        "ix_results_board",
        "results",
        ["cohort_id", "score_numerator", "score_denominator", "attempt_id"],
        schema="ias",
        postgresql_where=sa.text("counted"),
    )


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.drop_index("ix_results_board", "results", schema="ias")
