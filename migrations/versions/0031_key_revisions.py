"""Key revisions, and a note at a version of a question (docs/decisions/0075).

Revision: 0031
Follows: 0032
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0031"
down_revision = "0032"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.create_table(
        "key_revisions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("test_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), server_default="dry_run", nullable=False),
        sa.Column("changes", JSONB(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("keep", sa.String(), nullable=False),
        sa.Column("based_on", JSONB(), nullable=False),
        sa.Column("impact", JSONB(), nullable=True),
        sa.Column("new_keys", JSONB(), server_default="{}", nullable=False),
        sa.Column("bank", JSONB(), server_default="[]", nullable=False),
        sa.Column("official", JSONB(), server_default="{}", nullable=False),
        sa.Column("regraded", sa.Integer(), server_default="0", nullable=False),
        sa.Column("to_regrade", sa.Integer(), server_default="0", nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("published_by", sa.Uuid(), nullable=True),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("number > 0", name=op.f("ck_key_revisions_number")),
        sa.CheckConstraint(
            "state in ('dry_run', 'publishing', 'published', 'withdrawn')",
            name=op.f("ck_key_revisions_state"),
        ),
        sa.CheckConstraint("keep in ('new', 'higher')", name=op.f("ck_key_revisions_keep")),
        sa.CheckConstraint(
            "(state in ('dry_run', 'withdrawn')) = (published_at is null)",
            name=op.f("ck_key_revisions_published_at"),
        ),
        sa.CheckConstraint(
            "(state = 'published') = (completed_at is not null)",
            name=op.f("ck_key_revisions_completed_at"),
        ),
        sa.ForeignKeyConstraint(["test_id"], ["ias.tests.id"], name=op.f("fk_key_revisions_test_id")),
        sa.ForeignKeyConstraint(
            ["created_by"], ["ias.users.id"], name=op.f("fk_key_revisions_created_by"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["published_by"],
            ["ias.users.id"],
            name=op.f("fk_key_revisions_published_by"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_key_revisions")),
        sa.UniqueConstraint("test_id", "number", name=op.f("uq_key_revisions_test_id_number")),
        schema="ias",
    )
    op.create_index(
        "uq_key_revisions_publishing",
        "key_revisions",
        ["test_id"],
        unique=True,
        schema="ias",
        postgresql_where=sa.text("state = 'publishing'"),
    )
    op.create_table(
        "revised_results",
        sa.Column("revision_id", sa.Uuid(), nullable=False),
        sa.Column("attempt_id", sa.Uuid(), nullable=False),
        sa.Column("key_before", sa.Uuid(), nullable=False),
        sa.Column("key_after", sa.Uuid(), nullable=False),
        sa.Column("kept", sa.Boolean(), nullable=False),
        sa.Column("score_before", sa.String(), nullable=False),
        sa.Column("score_after", sa.String(), nullable=False),
        sa.Column("exact_before", sa.String(), nullable=False),
        sa.Column("exact_after", sa.String(), nullable=False),
        sa.Column("rank_before", sa.Integer(), nullable=True),
        sa.Column("rank_after", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["revision_id"],
            ["ias.key_revisions.id"],
            name=op.f("fk_revised_results_revision_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["attempt_id"],
            ["ias.attempts.id"],
            name=op.f("fk_revised_results_attempt_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["key_before"], ["ias.paper_keys.id"], name=op.f("fk_revised_results_key_before")
        ),
        sa.ForeignKeyConstraint(
            ["key_after"], ["ias.paper_keys.id"], name=op.f("fk_revised_results_key_after")
        ),
        sa.PrimaryKeyConstraint("attempt_id", "revision_id", name=op.f("pk_revised_results")),
        schema="ias",
    )
    op.create_index(
        "ix_revised_results_revision_id_attempt_id",
        "revised_results",
        ["revision_id", "attempt_id"],
        schema="ias",
    )
    op.add_column("question_versions", sa.Column("note", sa.String(), nullable=True), schema="ias")


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.drop_column("question_versions", "note", schema="ias")
    op.drop_table("revised_results", schema="ias")
    op.drop_table("key_revisions", schema="ias")
