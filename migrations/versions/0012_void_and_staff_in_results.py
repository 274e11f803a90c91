"""Official results may be `void` or `staff`; who was staff until when, and whose result that concerns.

Roles that were taken back before this migration are read from the audit log. Stored results keep their
meaning.

Revision: 0012
Follows: 0011
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

OUTCOMES_BEFORE = "outcome in ('ranked', 'not_qualified', 'incomplete', 'absent', 'disqualified')"
OUTCOMES = "outcome in ('ranked', 'not_qualified', 'incomplete', 'absent', 'void', 'disqualified', 'staff')"
NOT_YET: Any = {"server_default": "false", "nullable": False}
TAKEN_BACK = """
    update ias.memberships set last_staff_at = taken.at
    from (
      select subject_id as user_id, max(created_at) as at from ias.audit_entries
      where subject_kind = 'user' and action = 'change_role' and details->>'before' <> 'student'
      group by subject_id
    ) as taken
    where taken.user_id = memberships.user_id
"""


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.add_column("memberships", sa.Column("last_staff_at", sa.DateTime(timezone=True)), schema="ias")
    op.execute(TAKEN_BACK)
    op.add_column("results", sa.Column("was_staff", sa.Boolean(), **NOT_YET), schema="ias")
    _check_outcome(OUTCOMES)


def downgrade() -> None:
    """Fails, and changes nothing, where the version before could not read what is stored."""
    op.execute("set local lock_timeout = '5s'")
    _check_outcome(OUTCOMES_BEFORE)
    op.drop_column("results", "was_staff", schema="ias")
    op.drop_column("memberships", "last_staff_at", schema="ias")


def _check_outcome(condition: str) -> None:
    name = "ck_exam_results_outcome"
    op.drop_constraint(name, "exam_results", schema="ias")
    op.execute(f"alter table ias.exam_results add constraint {name} check ({condition})")
