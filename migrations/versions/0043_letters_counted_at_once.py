"""The triggers that count right answers split the outcomes of a result into letters once.

The function read each letter by its place, and a text finds a place by counting letters from the beginning.
It counts the same (docs/decisions/0057).

Revision: 0043
Follows: 0042
"""

from alembic import op

revision = "0043"
down_revision = "0042"
branch_labels = None
depends_on = None

BY_LETTERS = """
    cross join lateral unnest(string_to_array(outcomes, null)) with ordinality as outcome (letter, place)
"""
BY_PLACES = """
    cross join lateral (
      select place, substr(outcomes, place, 1) as letter from generate_series(1, length(outcomes)) as place
    ) as outcome
"""
FUNCTION = """
    create or replace function ias.count_outcomes() returns trigger language plpgsql as $$
    declare
      sign integer := case tg_op when 'DELETE' then -1 else 1 end;
    begin
      insert into ias.outcome_counts as stored (cohort_id, paper_id, shard, results, correct)
      select cohort_id, paper_id, pg_backend_pid() % 8, sign * max(results),
        array_agg(sign * correct order by place)
      from (
        select paper_id, result.cohort_id, place, count(*) as results,
          count(*) filter (where letter = 'c') as correct
        from changed as result
        join ias.paper_keys on paper_keys.id = result.key_id
        {letters}
        where counted
        group by paper_id, result.cohort_id, place
      ) as counts
      group by paper_id, cohort_id order by paper_id, cohort_id
      on conflict (cohort_id, paper_id, shard) do update
        set results = stored.results + excluded.results,
          correct = (
            select array_agg(before + change order by place)
            from unnest(stored.correct, excluded.correct) with ordinality as pair (before, change, place)
          );
      return null;
    end $$
"""


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.execute(FUNCTION.format(letters=BY_LETTERS))


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.execute(FUNCTION.format(letters=BY_PLACES))
