"""Lists of a few rows among many: attempts that are not graded, and audit entries of one kind.

Revision: 0038
Follows: 0037
"""

from alembic import op

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None

INDEXES = (
    """create index ix_attempts_listed_by_status on ias.attempts (test_id, status, id)
       where number > 0 and status <> 'graded'""",
    "create index ix_audit_entries_institute_id_action_id on ias.audit_entries (institute_id, action, id)",
    """create index ix_audit_entries_institute_id_subject_kind_id
       on ias.audit_entries (institute_id, subject_kind, id)""",
)
NAMES = (
    "ix_attempts_listed_by_status",
    "ix_audit_entries_institute_id_action_id",
    "ix_audit_entries_institute_id_subject_kind_id",
)


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    for statement in INDEXES:
        op.execute(statement)


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    for name in NAMES:
        op.execute(f"drop index ias.{name}")
