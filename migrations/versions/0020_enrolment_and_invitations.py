"""Enrolments with an end and batches, invitations, and an index for the search of users.

The index locks `users` against writes while it is built: about a second for 100,000 rows. Run it while nobody
registers.

Revision: 0020
Follows: 0019
"""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

HOME_OF_TRIGRAMS = """
select quote_ident(nspname) from pg_extension join pg_namespace on pg_namespace.oid = extnamespace
where extname = 'pg_trgm'
"""


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    until = sa.Column("enrolled_until", sa.DateTime(timezone=True), nullable=True)
    op.add_column("memberships", until, schema="ias")
    batches: sa.Column[list[str]] = sa.Column(
        "batches", sa.ARRAY(sa.String()), server_default="{}", nullable=False
    )
    op.add_column("memberships", batches, schema="ias")
    op.create_table(
        "invitations",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tries", sa.Integer(), server_default="0", nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("error", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"], ["ias.users.id"], name=op.f("fk_invitations_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_invitations")),
        schema="ias",
    )
    waiting = sa.text("sent_at is null and error is null")
    op.create_index(
        "ix_invitations_due_at", "invitations", ["due_at"], schema="ias", postgresql_where=waiting
    )
    trigrams = op.get_bind().execute(sa.text(HOME_OF_TRIGRAMS)).scalar_one()
    op.create_index(
        "ix_users_trigrams",
        "users",
        ["name", "email"],
        schema="ias",
        postgresql_using="gin",
        postgresql_ops={"name": f"{trigrams}.gin_trgm_ops", "email": f"{trigrams}.gin_trgm_ops"},
    )


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.drop_index("ix_users_trigrams", "users", schema="ias")
    op.drop_table("invitations", schema="ias")
    op.drop_column("memberships", "batches", schema="ias")
    op.drop_column("memberships", "enrolled_until", schema="ias")
