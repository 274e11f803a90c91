"""Bookmarks with notes.

Revision: 0026
Follows: 0025
"""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.create_table(
        "bookmarks",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("question_id", sa.Uuid(), nullable=False),
        sa.Column("note", sa.String(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["ias.users.id"], name=op.f("fk_bookmarks_user_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["question_id"], ["ias.questions.id"], name=op.f("fk_bookmarks_question_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bookmarks")),
        sa.UniqueConstraint("user_id", "question_id", name=op.f("uq_bookmarks_user_id_question_id")),
        schema="ias",
    )
    op.create_index("ix_bookmarks_user_id_id", "bookmarks", ["user_id", "id"], schema="ias")
    op.create_index("ix_bookmarks_question_id", "bookmarks", ["question_id"], schema="ias")


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.drop_table("bookmarks", schema="ias")
