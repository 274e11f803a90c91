"""Answers to requests with an idempotency key, kept for a day.

Revision: 0014
Follows: 0013
"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.create_table(
        "kept_answers",
        sa.Column("institute_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("media_type", sa.String(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["institute_id"],
            ["ias.institutes.id"],
            name=op.f("fk_kept_answers_institute_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["ias.users.id"], name=op.f("fk_kept_answers_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("institute_id", "user_id", "key", name=op.f("pk_kept_answers")),
        schema="ias",
    )
    op.create_index("ix_kept_answers_created_at", "kept_answers", ["created_at"], schema="ias")


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.drop_table("kept_answers", schema="ias")
