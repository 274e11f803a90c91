"""Mails of the auth server are asked for by rows; the audit log holds more than exams, and only grows.

Revision: 0009
Follows: 0007
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.create_table(
        "auth_mails",
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("client_address", sa.String(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tries", sa.Integer(), server_default="0", nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("kind in ('recovery', 'signup')", name=op.f("ck_auth_mails_kind")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_auth_mails")),
        schema="ias",
    )
    op.create_index("ix_auth_mails_due_at", "auth_mails", ["due_at"], unique=False, schema="ias")


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.drop_index("ix_auth_mails_due_at", table_name="auth_mails", schema="ias")
    op.drop_table("auth_mails", schema="ias")
