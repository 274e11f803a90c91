"""An attempt keeps the status that it had before it was voided.

A void attempt of before has none: app/services/attempts/states.py says what it counts as.

Revision: 0016
Follows: 0015
"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

NAME = "ck_attempts_voided_from"
CONDITION = "voided_from in ('in_progress', 'paused', 'submitted')"


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.add_column("attempts", sa.Column("voided_from", sa.String()), schema="ias")
    op.execute(f"alter table ias.attempts add constraint {NAME} check ({CONDITION})")


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.drop_column("attempts", "voided_from", schema="ias")
