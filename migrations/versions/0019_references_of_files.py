"""References by which files of authors find their tests and exams again.

Revision: 0019
Follows: 0018
"""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    for table in ("tests", "exams"):
        op.add_column(table, sa.Column("reference", sa.String(), nullable=True), schema="ias")
        name = op.f(f"uq_{table}_institute_id_reference")
        op.create_unique_constraint(name, table, ["institute_id", "reference"], schema="ias")


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    for table in ("tests", "exams"):
        op.drop_constraint(op.f(f"uq_{table}_institute_id_reference"), table, schema="ias")
        op.drop_column(table, "reference", schema="ias")
