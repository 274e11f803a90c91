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

INDEXED = ("institute_id", "actor_id", "subject_id")
# The application owns the table, so that taking rights away would not bind it: a trigger does.
REFUSE = """
    create function ias.refuse_audit_change() returns trigger language plpgsql as $$
    begin
        raise exception 'the audit log only grows: % is refused', lower(tg_op)
            using errcode = 'insufficient_privilege';
    end $$
"""
CALL = "execute function ias.refuse_audit_change()"
TRIGGERS = {
    "audit_entries_stay": ("before update or delete", "row"),
    "audit_entries_are_not_truncated": ("before truncate", "statement"),
}


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
    _generalize_audit()
    op.execute(REFUSE)
    for name, (event, each) in TRIGGERS.items():
        op.execute(f"create trigger {name} {event} on ias.audit_entries for each {each} {CALL}")


def _generalize_audit() -> None:
    """Until now there were entries of exams and their attempts alone."""
    kind = sa.Column("subject_kind", sa.String(), server_default="exam", nullable=False)
    op.add_column("audit_entries", kind, schema="ias")
    op.add_column("audit_entries", sa.Column("subject_id", sa.Uuid(), nullable=True), schema="ias")
    op.add_column("audit_entries", sa.Column("request_id", sa.String(), nullable=True), schema="ias")
    op.execute(
        """update ias.audit_entries set
            subject_kind = case when attempt_id is null then 'exam' else 'attempt' end,
            subject_id = coalesce(attempt_id, exam_id)"""
    )
    for column in INDEXED:
        name = f"ix_audit_entries_{column}_id"
        op.create_index(name, "audit_entries", [column, "id"], unique=False, schema="ias")


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    for name in TRIGGERS:
        op.execute(f"drop trigger {name} on ias.audit_entries")
    op.execute("drop function ias.refuse_audit_change()")
    for column in INDEXED:
        op.drop_index(f"ix_audit_entries_{column}_id", table_name="audit_entries", schema="ias")
    for column in ("request_id", "subject_id", "subject_kind"):
        op.drop_column("audit_entries", column, schema="ias")
    op.drop_index("ix_auth_mails_due_at", table_name="auth_mails", schema="ias")
    op.drop_table("auth_mails", schema="ias")
