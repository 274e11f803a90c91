"""Figures of graded attempts: times, order, confidence, changes of answers, and sums by subject.

Attempts that were graded before have no figures until `ias analytics rebuild` has run: see "A new version" in
docs/deployment.md.

Revision: 0023
Follows: 0022
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.create_table(
        "attempt_figures",
        sa.Column("attempt_id", sa.Uuid(), nullable=False),
        sa.Column("key_id", sa.Uuid(), nullable=False),
        sa.Column("spent_ms", ARRAY(sa.Integer()), nullable=True),
        sa.Column("answered_order", ARRAY(sa.SmallInteger()), nullable=True),
        sa.Column("confidence", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=True),
        sa.Column("right_to_wrong", sa.SmallInteger(), nullable=False),
        sa.Column("wrong_to_right", sa.SmallInteger(), nullable=False),
        sa.Column("wrong_to_wrong", sa.SmallInteger(), nullable=False),
        sa.Column("net_marks", sa.Numeric(precision=60, scale=0), nullable=False),
        sa.Column("subject_ids", ARRAY(sa.Uuid()), nullable=False),
        sa.Column("sums", sa.Text(), nullable=False),
        sa.Column("denominator", sa.Numeric(precision=60, scale=0), nullable=False),
        sa.Column("applied", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("denominator > 0", name=op.f("ck_attempt_figures_denominator")),
        sa.ForeignKeyConstraint(
            ["attempt_id"],
            ["ias.results.attempt_id"],
            name=op.f("fk_attempt_figures_attempt_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["key_id"], ["ias.paper_keys.id"], name=op.f("fk_attempt_figures_key_id")),
        sa.PrimaryKeyConstraint("attempt_id", name=op.f("pk_attempt_figures")),
        schema="ias",
    )


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.drop_table("attempt_figures", schema="ias")
