"""Statistics of tests and parameters of questions (docs/decisions/0067).

The tables start empty. The loops of the workers fill them.

Revision: 0024
Follows: 0023
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.create_table(
        "paper_statistics",
        sa.Column("cohort_id", sa.Uuid(), nullable=False),
        sa.Column("paper_id", sa.Uuid(), nullable=False),
        sa.Column("test_id", sa.Uuid(), nullable=False),
        sa.Column("key_id", sa.Uuid(), nullable=False),
        sa.Column("participants", sa.Integer(), nullable=False),
        sa.Column("right_answers", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("computed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("mean", sa.Double()),
        sa.Column("standard_deviation", sa.Double()),
        sa.Column("alpha", sa.Double()),
        sa.Column("standard_error", sa.Double()),
        sa.Column("median_ms", ARRAY(sa.Integer()), nullable=False),
        sa.Column("option_counts", JSONB(), nullable=False),
        sa.Column("analysis", JSONB(), nullable=False),
        sa.ForeignKeyConstraint(["paper_id"], ["ias.papers.id"], name=op.f("fk_paper_statistics_paper_id")),
        sa.ForeignKeyConstraint(["test_id"], ["ias.tests.id"], name=op.f("fk_paper_statistics_test_id")),
        sa.ForeignKeyConstraint(["key_id"], ["ias.paper_keys.id"], name=op.f("fk_paper_statistics_key_id")),
        sa.PrimaryKeyConstraint("cohort_id", "paper_id", name=op.f("pk_paper_statistics")),
        schema="ias",
    )
    op.create_index("ix_paper_statistics_test_id", "paper_statistics", ["test_id"], schema="ias")
    op.create_table(
        "item_parameters",
        sa.Column("question_id", sa.Uuid(), nullable=False),
        sa.Column("question_version", sa.Integer(), nullable=False),
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("difficulty", sa.Double(), nullable=False),
        sa.Column("difficulty_error", sa.Double(), nullable=False),
        sa.Column("discrimination", sa.Double(), nullable=False),
        sa.Column("discrimination_error", sa.Double(), nullable=False),
        sa.Column("guessing", sa.Double(), nullable=False),
        sa.Column("guessing_error", sa.Double(), nullable=False),
        sa.Column("answers", sa.Integer(), nullable=False),
        sa.Column("cohort_id", sa.Uuid(), nullable=False),
        sa.Column("paper_id", sa.Uuid(), nullable=False),
        sa.Column("computed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("model in ('1pl', '2pl', '3pl')", name=op.f("ck_item_parameters_model")),
        sa.CheckConstraint("discrimination > 0", name=op.f("ck_item_parameters_discrimination")),
        sa.ForeignKeyConstraint(
            ["question_id"],
            ["ias.questions.id"],
            name=op.f("fk_item_parameters_question_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["paper_id"], ["ias.papers.id"], name=op.f("fk_item_parameters_paper_id")),
        sa.PrimaryKeyConstraint("question_id", name=op.f("pk_item_parameters")),
        schema="ias",
    )


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.drop_table("item_parameters", schema="ias")
    op.drop_table("paper_statistics", schema="ias")
