"""Public keys of receipts and signed response sheets, and the leases of attempts (docs/decisions/0079).

Revision: 0035
Follows: 0036
"""

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0036"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.create_table(
        "signing_keys",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("retired_at", TIME, nullable=True),
        sa.CheckConstraint("length(public_key) = 32", name=op.f("ck_signing_keys_public_key")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_signing_keys")),
        schema="ias",
    )
    op.create_table(
        "attempt_leases",
        sa.Column("attempt_id", sa.Uuid(), nullable=False),
        sa.Column("lease", sa.Integer(), nullable=False),
        sa.Column("device", sa.String(), nullable=True),
        sa.Column("given_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["attempt_id"],
            ["ias.attempts.id"],
            name=op.f("fk_attempt_leases_attempt_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("attempt_id", "lease", name=op.f("pk_attempt_leases")),
        schema="ias",
    )


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.drop_table("attempt_leases", schema="ias")
    op.drop_table("signing_keys", schema="ias")
