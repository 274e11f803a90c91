"""Practice tests of one's own (docs/decisions/0069).

Revision: 0029
Follows: 0028
"""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.add_column(
        "tests",
        sa.Column("is_personal", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        schema="ias",
    )
    op.add_column("tests", sa.Column("owner_id", sa.Uuid(), nullable=True), schema="ias")
    op.create_foreign_key(
        op.f("fk_tests_owner_id"),
        "tests",
        "users",
        ["owner_id"],
        ["id"],
        source_schema="ias",
        referent_schema="ias",
        ondelete="SET NULL",
    )
    op.create_check_constraint(
        op.f("ck_tests_owner_id"), "tests", "owner_id is null or is_personal", schema="ias"
    )
    op.create_index(
        "ix_tests_owner_id",
        "tests",
        ["owner_id"],
        schema="ias",
        postgresql_where=sa.text("owner_id is not null"),
    )


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.execute("update ias.tests set status = 'archived' where is_personal")
    op.drop_index("ix_tests_owner_id", "tests", schema="ias")
    op.drop_column("tests", "owner_id", schema="ias")
    op.drop_column("tests", "is_personal", schema="ias")
