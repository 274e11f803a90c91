"""Roll numbers of candidates who have withdrawn, and indexes for the search of registrations.

The indexes lock `registrations` and `users` against writes while they are built: half a second for 100,000
rows. Run it while nobody registers.

Revision: 0017
Follows: 0016
"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

HOME_OF_TRIGRAMS = """
select quote_ident(nspname) from pg_extension join pg_namespace on pg_namespace.oid = extnamespace
where extname = 'pg_trgm'
"""


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.create_table(
        "withdrawn_registrations",
        sa.Column("exam_id", sa.Uuid(), nullable=False),
        sa.Column("roll_number", sa.String(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["exam_id"], ["ias.exams.id"], name=op.f("fk_withdrawn_registrations_exam_id")
        ),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["ias.users.id"],
            name=op.f("fk_withdrawn_registrations_user_id"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("exam_id", "roll_number", name=op.f("pk_withdrawn_registrations")),
        schema="ias",
    )
    op.create_index(
        op.f("ix_withdrawn_registrations_user_id"), "withdrawn_registrations", ["user_id"], schema="ias"
    )
    op.create_index(
        "ix_withdrawn_registrations_exam_id_user_id",
        "withdrawn_registrations",
        ["exam_id", "user_id"],
        schema="ias",
    )
    op.create_index("ix_registrations_exam_id_id", "registrations", ["exam_id", "id"], schema="ias")
    op.create_index(
        "ix_registrations_roll_number_prefix",
        "registrations",
        ["exam_id", "roll_number"],
        schema="ias",
        postgresql_ops={"roll_number": "text_pattern_ops"},
    )
    trigrams = op.get_bind().execute(sa.text(HOME_OF_TRIGRAMS)).scalar_one()
    op.create_index(
        "ix_registrations_name_trigrams",
        "registrations",
        ["name"],
        schema="ias",
        postgresql_using="gin",
        postgresql_ops={"name": f"{trigrams}.gin_trgm_ops"},
    )
    op.create_index(
        "ix_users_email_prefix",
        "users",
        ["email"],
        schema="ias",
        postgresql_ops={"email": "text_pattern_ops"},
    )


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.drop_index("ix_users_email_prefix", "users", schema="ias")
    op.drop_index("ix_registrations_name_trigrams", "registrations", schema="ias")
    op.drop_index("ix_registrations_roll_number_prefix", "registrations", schema="ias")
    op.drop_index("ix_registrations_exam_id_id", "registrations", schema="ias")
    op.drop_table("withdrawn_registrations", schema="ias")
