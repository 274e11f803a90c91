"""How an exam ranks: tie-breaks, percentiles, shares of sections, ranks of candidates with a disability.

Revision: 0033
Follows: 0034
"""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0033"
down_revision = "0034"
branch_labels = None
depends_on = None

NEW: dict[str, list[sa.Column[Any]]] = {
    "exams": [
        sa.Column("tie_breaks", postgresql.JSONB(), server_default='"none"', nullable=False),
        sa.Column("percentile_definition", sa.String(), server_default="at_or_below", nullable=False),
    ],
    "exam_papers": [sa.Column("section_percents", postgresql.JSONB(), server_default="{}", nullable=False)],
    "exam_releases": [
        sa.Column("percentile_definition", sa.String(), server_default="at_or_below", nullable=False),
        sa.Column("tie_breaks", postgresql.JSONB(), server_default='"none"', nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("key_ids", postgresql.JSONB(), server_default="{}", nullable=False),
    ],
    "exam_results": [
        sa.Column("category_percentile", sa.Float(), nullable=True),
        sa.Column("pwbd_rank", sa.Integer(), nullable=True),
        sa.Column("pwbd_percentile", sa.Float(), nullable=True),
    ],
}


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    for table, columns in NEW.items():
        for column in columns:
            op.add_column(table, column, schema="ias")
    op.create_check_constraint(
        op.f("ck_exams_percentile_definition"),
        "exams",
        "percentile_definition in ('at_or_below', 'mid_rank', 'better_than')",
        schema="ias",
    )


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.drop_constraint(op.f("ck_exams_percentile_definition"), "exams", schema="ias")
    for table, columns in NEW.items():
        for column in columns:
            op.drop_column(table, column.name, schema="ias")
