"""Deleted accounts during their legal hold, and exports of what is kept of a person.

Revision: 0018
Follows: 0017
"""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

DELETED = "deleted_at is null or not active"


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.add_column("users", sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True), schema="ias")
    op.create_check_constraint(op.f("ck_users_deleted"), "users", DELETED, schema="ias")
    op.create_table(
        "account_deletions",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("purging_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("auth_deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("names", sa.dialects.postgresql.JSONB(), server_default="{}", nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["ias.users.id"], name=op.f("fk_account_deletions_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_account_deletions")),
        schema="ias",
    )
    op.create_index("ix_account_deletions_due_at", "account_deletions", ["due_at"], schema="ias")
    op.create_table(
        "account_exports",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("status", sa.String(), server_default="waiting", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("ready_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("size_bytes", sa.BigInteger(), nullable=True),
        sa.Column("downloaded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("status in ('waiting', 'ready')", name=op.f("ck_account_exports_status")),
        sa.ForeignKeyConstraint(
            ["user_id"], ["ias.users.id"], name=op.f("fk_account_exports_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account_exports")),
        schema="ias",
    )
    op.create_index("ix_account_exports_user_id", "account_exports", ["user_id"], schema="ias")
    op.create_index("ix_account_exports_expires_at", "account_exports", ["expires_at"], schema="ias")


def downgrade() -> None:
    """Deleted accounts stay banned, and are not purged."""
    op.execute("set local lock_timeout = '5s'")
    op.drop_table("account_exports", schema="ias")
    op.drop_table("account_deletions", schema="ias")
    op.drop_constraint("ck_users_deleted", "users", schema="ias")
    op.drop_column("users", "deleted_at", schema="ias")
