"""Triggers count how many participants answered each question correctly; an index for a test's attempts.

The triggers count in whatever process grades, also in one of the version before this one. They are created
before the results of today are counted, in one transaction, so that each result is counted exactly once.
Nobody can grade meanwhile: docs/deployment.md says how long.

Revision: 0022
Follows: 0021
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

SHARDS = 8

COUNTS = """
    select paper_id, result.cohort_id, place, count(*) as results,
      count(*) filter (where substr(outcomes, place, 1) = 'c') as correct
    from {results} as result
    join ias.paper_keys on paper_keys.id = result.key_id
    cross join lateral generate_series(1, length(outcomes)) as place
    where counted
    group by paper_id, result.cohort_id, place
"""

# One transaction writes rows of one shard alone, in the order of paper and cohort, so that transactions do
# not deadlock, and those of several connections seldom wait for each other.
FUNCTION = f"""
    create function ias.count_outcomes() returns trigger language plpgsql as $$
    declare
      sign integer := case tg_op when 'DELETE' then -1 else 1 end;
    begin
      insert into ias.outcome_counts as stored (cohort_id, paper_id, shard, results, correct)
      select cohort_id, paper_id, pg_backend_pid() % {SHARDS}, sign * max(results),
        array_agg(sign * correct order by place)
      from ({COUNTS.format(results="changed")}) as counts
      group by paper_id, cohort_id order by paper_id, cohort_id
      on conflict (cohort_id, paper_id, shard) do update
        set results = stored.results + excluded.results,
          correct = (
            select array_agg(before + change order by place)
            from unnest(stored.correct, excluded.correct) with ordinality as pair (before, change, place)
          );
      return null;
    end $$
"""  # noqa: S608 -- constants
TRIGGERS = (
    """
    create trigger count_outcomes after insert on ias.results
    referencing new table as changed for each statement execute function ias.count_outcomes()
    """,
    """
    create trigger discount_outcomes after delete on ias.results
    referencing old table as changed for each statement execute function ias.count_outcomes()
    """,
)
BACKFILL = f"""
    insert into ias.outcome_counts (cohort_id, paper_id, shard, results, correct)
    select cohort_id, paper_id, 0, max(results), array_agg(correct order by place)
    from ({COUNTS.format(results="ias.results")}) as counts
    group by paper_id, cohort_id
"""  # noqa: S608 -- a constant


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.create_table(
        "outcome_counts",
        sa.Column("cohort_id", sa.Uuid(), nullable=False),
        sa.Column("paper_id", sa.Uuid(), nullable=False),
        sa.Column("shard", sa.SmallInteger(), nullable=False),
        sa.Column("results", sa.Integer(), nullable=False),
        sa.Column("correct", ARRAY(sa.Integer()), nullable=False),
        sa.ForeignKeyConstraint(["paper_id"], ["ias.papers.id"], name=op.f("fk_outcome_counts_paper_id")),
        sa.PrimaryKeyConstraint("cohort_id", "paper_id", "shard", name=op.f("pk_outcome_counts")),
        schema="ias",
    )
    op.create_index(
        "ix_attempts_listed",
        "attempts",
        ["test_id", "id"],
        schema="ias",
        postgresql_where=sa.text("number > 0"),
    )
    op.execute(FUNCTION)
    for trigger in TRIGGERS:
        op.execute(trigger)
    op.execute(BACKFILL)


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.execute("drop trigger discount_outcomes on ias.results")
    op.execute("drop trigger count_outcomes on ias.results")
    op.execute("drop function ias.count_outcomes()")
    op.drop_index("ix_attempts_listed", "attempts", schema="ias")
    op.drop_table("outcome_counts", schema="ias")
