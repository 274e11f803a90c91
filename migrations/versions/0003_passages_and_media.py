"""Passages can be retired, and papers say which images they show.

Revision: 0003
Follows: 0002
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.add_column(
        "passages", sa.Column("status", sa.String(), server_default="active", nullable=False), schema="ias"
    )
    op.create_check_constraint(
        op.f("ck_passages_status"), "passages", "status in ('active', 'retired')", schema="ias"
    )
    op.create_table(
        "paper_media",
        sa.Column("paper_id", sa.Uuid(), nullable=False),
        sa.Column("media_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["media_id"], ["ias.media.id"], name=op.f("fk_paper_media_media_id")),
        sa.ForeignKeyConstraint(["paper_id"], ["ias.papers.id"], name=op.f("fk_paper_media_paper_id")),
        sa.PrimaryKeyConstraint("paper_id", "media_id", name=op.f("pk_paper_media")),
        schema="ias",
    )


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.drop_table("paper_media", schema="ias")
    op.drop_constraint(op.f("ck_passages_status"), "passages", schema="ias")
    op.drop_column("passages", "status", schema="ias")
