"""Mappings of columns that an institute uses again for sheets with the same headers (docs/decisions/0086).

Revision: 0041
Follows: 0040
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.create_table(
        "column_mappings",
        sa.Column("institute_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("headers", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("columns", postgresql.JSONB(), nullable=False),
        sa.Column("saved_by", sa.Uuid(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", TIME, server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", TIME, server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("kind in ('questions', 'answer_sheets')", name=op.f("ck_column_mappings_kind")),
        sa.ForeignKeyConstraint(
            ["institute_id"], ["ias.institutes.id"], name=op.f("fk_column_mappings_institute_id")
        ),
        sa.ForeignKeyConstraint(
            ["saved_by"], ["ias.users.id"], name=op.f("fk_column_mappings_saved_by"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_column_mappings")),
        sa.UniqueConstraint(
            "institute_id",
            "kind",
            "fingerprint",
            name=op.f("uq_column_mappings_institute_id_kind_fingerprint"),
        ),
        schema="ias",
    )
    op.create_index("ix_column_mappings_saved_by", "column_mappings", ["saved_by"], schema="ias")


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.drop_table("column_mappings", schema="ias")
