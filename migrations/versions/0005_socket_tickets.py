"""Tickets that open a socket; messages know the order in which they were written.

Nothing had written messages, so that numbering them rewrites an empty table.

Revision: 0005
Follows: 0004
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.create_table(
        "socket_tickets",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("session_id", sa.String(), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("path", sa.String(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_socket_tickets")),
        schema="ias",
    )
    op.create_index(
        "ix_socket_tickets_expires_at", "socket_tickets", ["expires_at"], unique=False, schema="ias"
    )
    op.add_column(
        "messages",
        sa.Column("number", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        schema="ias",
    )
    _index_unpublished_by("number")


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    _index_unpublished_by("id")
    op.drop_column("messages", "number", schema="ias")
    op.drop_index("ix_socket_tickets_expires_at", table_name="socket_tickets", schema="ias")
    op.drop_table("socket_tickets", schema="ias")


def _index_unpublished_by(column: str) -> None:
    where = sa.text("published_at is null")
    op.drop_index("ix_messages_unpublished", table_name="messages", schema="ias", postgresql_where=where)
    op.create_index(
        "ix_messages_unpublished", "messages", [column], unique=False, schema="ias", postgresql_where=where
    )
