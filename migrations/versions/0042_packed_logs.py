"""The log of a closed attempt can be packed into one row (docs/decisions/0093).

Revision: 0042
Follows: 0041
"""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0042"
down_revision = "0041"
branch_labels = None
depends_on = None

SMALL, WHOLE = postgresql.ARRAY(sa.SmallInteger()), postgresql.ARRAY(sa.Integer())
COLUMNS: dict[str, Any] = {
    "positions": SMALL,
    "leases": WHOLE,
    "revisions": WHOLE,
    "answers": sa.JSON(),
    "marked_for_review": postgresql.ARRAY(sa.Boolean()),
    "time_spent_ms": WHOLE,
    "confidences": sa.Text(),
    "languages": postgresql.ARRAY(sa.Text()),
    "late": postgresql.ARRAY(sa.Boolean()),
    "received_at": postgresql.ARRAY(sa.DateTime(timezone=True)),
}

UNPACKED_EVENTS = """
create view ias.unpacked_events with (security_invoker = true) as
select packed.attempt_id, paper_questions.question_id, event.lease, event.revision,
  nullif(event.answer::text, 'null')::jsonb as answer, event.marked_for_review, event.time_spent_ms,
  case event.confidence when 's' then 'sure' when 'd' then 'doubtful' when 'g' then 'guess' end as confidence,
  event.language, event.late, event.received_at
from ias.packed_logs as packed
join ias.attempts on attempts.id = packed.attempt_id
cross join lateral rows from (
  unnest(packed.positions, packed.leases, packed.revisions, packed.marked_for_review, packed.time_spent_ms,
    packed.languages, packed.late, packed.received_at),
  string_to_table(packed.confidences, null),
  json_array_elements(packed.answers)
) as event(position, lease, revision, marked_for_review, time_spent_ms, language, late, received_at,
  confidence, answer)
join ias.paper_questions on paper_questions.paper_id = attempts.paper_id
  and paper_questions.position = event.position
"""
LOGGED_EVENTS = """
create view ias.logged_events with (security_invoker = true) as
select attempt_id, question_id, lease, revision, answer, marked_for_review, time_spent_ms, confidence,
  language, late, received_at
from ias.response_events
union all
select * from ias.unpacked_events
"""


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.create_table(
        "packed_logs",
        sa.Column("attempt_id", sa.Uuid(), nullable=False),
        *(sa.Column(name, type_, nullable=False) for name, type_ in COLUMNS.items()),
        sa.ForeignKeyConstraint(
            ["attempt_id"],
            ["ias.attempts.id"],
            name=op.f("fk_packed_logs_attempt_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("attempt_id", name=op.f("pk_packed_logs")),
        schema="ias",
    )
    # A row is compressed in its place, column by column, even if it is short.
    op.execute("alter table ias.packed_logs set (toast_tuple_target = 128)")
    for name in COLUMNS:
        op.execute(f"alter table ias.packed_logs alter column {name} set storage main")
    op.execute(UNPACKED_EVENTS)
    op.execute(LOGGED_EVENTS)


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.execute(
        "insert into ias.response_events (attempt_id, question_id, lease, revision, answer,"
        " marked_for_review, time_spent_ms, confidence, language, late, received_at)"
        " select * from ias.unpacked_events on conflict do nothing"
    )
    op.execute("drop view ias.logged_events")
    op.execute("drop view ias.unpacked_events")
    op.drop_table("packed_logs", schema="ias")
