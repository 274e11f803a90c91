"""Keys of papers have versions, and a result is a row of compact columns (docs/decisions/0047 and 0048).

The keys move from `papers` to `paper_keys`, each as number 1, and every result names number 1. The scorecards
become answers, outcomes and marks in the order of the paper; the answers are those that stand in the log.
The migration fails, and changes nothing, where a converted result does not add up to its score.

The version before this one cannot run on the new schema: see "A new version" in docs/deployment.md.

Revision: 0010
Follows: 0009
"""

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

BATCH = 2_000
"""How many results are converted by one statement, which may take a minute at most."""
LETTERS = {"correct": "c", "incorrect": "i", "partial": "p", "unattempted": "u", "dropped": "d"}

FILL = """
    create or replace function ias.fill_paper_questions() returns trigger language plpgsql as $$
    begin
      insert into ias.paper_questions (paper_id, question_id, position)
      select new.id, (question ->> 'id')::uuid, position
      from jsonb_array_elements(new.rules -> 'questions') with ordinality as listed(question, position);
      return null;
    end $$
"""
FILL_BEFORE = """
    create or replace function ias.fill_paper_questions() returns trigger language plpgsql as $$
    begin
      insert into ias.paper_questions (paper_id, question_id)
      select new.id, question_id::uuid from jsonb_object_keys(new.key) as question_id;
      return null;
    end $$
"""
POSITIONS = """
    update ias.paper_questions set position = listed.position
    from ias.papers cross join lateral
      jsonb_array_elements(papers.rules -> 'questions') with ordinality as listed(question, position)
    where paper_questions.paper_id = papers.id
      and paper_questions.question_id = (listed.question ->> 'id')::uuid
"""
KEYS = """
    insert into ias.paper_keys (id, paper_id, number, key, created_by, created_at)
    select gen_random_uuid(), id, 1, key, published_by, created_at from ias.papers
"""
KEYS_BACK = """
    update ias.papers set key = (
      select paper_keys.key from ias.paper_keys where paper_keys.paper_id = papers.id
      order by number desc limit 1)
"""
LEAST_COMMON_MULTIPLE = "create aggregate ias.lcm_of(numeric) (sfunc = lcm, stype = numeric, initcond = '1')"
# For each result the items of its scorecard in the paper's order, with the answer that stands in the log.
# The result of an attempt whose items are not the paper's questions stays without outcomes.
CONVERT = """
    update ias.results set scorecard = null,
      key_id = paper_keys.id, outcomes = sheet.outcomes, marks = sheet.marks,
      marks_denominator = sheet.denominator, answers = sheet.answers::json
    from ias.attempts join ias.paper_keys on paper_keys.paper_id = attempts.paper_id cross join lateral (
      select string_agg(letter, '' order by position) as outcomes,
        string_agg(trunc(numerator * (whole / denominator))::text, ' ' order by position) as marks,
        min(whole) as denominator,
        '[' || string_agg(coalesce(answer::text, 'null'), ',' order by position) || ']' as answers
      from (
        select item.position, answer, numerator, denominator, ias.lcm_of(denominator) over () as whole,
          cast(:letters as jsonb) ->> item.outcome as letter
        from (
          select position, (entry ->> 'question_id')::uuid as question_id, entry ->> 'outcome' as outcome,
            split_part(entry ->> 'marks', '/', 1)::numeric as numerator,
            coalesce(nullif(split_part(entry ->> 'marks', '/', 2), ''), '1')::numeric as denominator
          from ias.results as graded cross join lateral
            jsonb_array_elements(graded.scorecard -> 'items') with ordinality as listed(entry, position)
          where graded.attempt_id = attempts.id
        ) as item
        join ias.paper_questions on paper_questions.paper_id = attempts.paper_id
          and paper_questions.position = item.position and paper_questions.question_id = item.question_id
        left join (
          select distinct on (question_id) question_id, answer
          from ias.response_events where response_events.attempt_id = attempts.id and not late
          order by question_id, lease desc, revision desc
        ) as standing on standing.question_id = item.question_id
      ) as marked
    ) as sheet
    where attempts.id = results.attempt_id and results.attempt_id = any(:attempts)
"""
WRONG = """
    select count(*) from ias.results
    join ias.attempts on attempts.id = results.attempt_id join ias.papers on papers.id = attempts.paper_id
    where length(outcomes) is distinct from papers.question_count
      or json_array_length(answers) is distinct from papers.question_count
      or raw_numerator * marks_denominator is distinct from raw_denominator
        * (select sum(part::numeric) from unnest(string_to_array(marks, ' ')) as part)
"""
SHEETS = """
    select results.attempt_id, results.outcomes, results.marks, results.marks_denominator, papers.rules,
      paper_keys.key
    from ias.results join ias.paper_keys on paper_keys.id = results.key_id
    join ias.papers on papers.id = paper_keys.paper_id
    where results.scorecard is null order by results.attempt_id limit :batch
"""

NEW_COLUMNS: Mapping[str, sa.types.TypeEngine[Any]] = {
    "key_id": sa.Uuid(),
    "answers": sa.JSON(),
    "outcomes": sa.String(),
    "marks": sa.Text(),
    "marks_denominator": sa.Numeric(precision=60, scale=0),
}
DENOMINATORS = "score_denominator > 0 and raw_denominator > 0"


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    _number_questions()
    _move_keys()
    for name, type_ in NEW_COLUMNS.items():
        op.add_column("results", sa.Column(name, type_), schema="ias")
    _convert_results()
    for name in NEW_COLUMNS:
        op.alter_column("results", name, nullable=False, schema="ias")
    op.create_foreign_key(
        op.f("fk_results_key_id"),
        "results",
        "paper_keys",
        ["key_id"],
        ["id"],
        source_schema="ias",
        referent_schema="ias",
    )
    _check_denominators(f"{DENOMINATORS} and marks_denominator > 0")
    op.drop_column("results", "scorecard", schema="ias")


def _number_questions() -> None:
    op.add_column("paper_questions", sa.Column("position", sa.Integer()), schema="ias")
    op.execute(POSITIONS)
    op.alter_column("paper_questions", "position", nullable=False, schema="ias")
    op.create_unique_constraint(
        op.f("uq_paper_questions_paper_id_position"),
        "paper_questions",
        ["paper_id", "position"],
        schema="ias",
    )
    op.execute(FILL)


def _move_keys() -> None:
    op.create_table(
        "paper_keys",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("paper_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("key", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("number > 0", name=op.f("ck_paper_keys_number")),
        sa.CheckConstraint("number = 1 or reason is not null", name=op.f("ck_paper_keys_reason")),
        sa.ForeignKeyConstraint(["paper_id"], ["ias.papers.id"], name=op.f("fk_paper_keys_paper_id")),
        sa.ForeignKeyConstraint(
            ["created_by"], ["ias.users.id"], name=op.f("fk_paper_keys_created_by"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_paper_keys")),
        sa.UniqueConstraint("paper_id", "number", name=op.f("uq_paper_keys_paper_id_number")),
        schema="ias",
    )
    op.execute(KEYS)
    op.drop_column("papers", "key", schema="ias")


def _convert_results() -> None:
    connection = op.get_bind()
    convert = sa.text(CONVERT).bindparams(
        sa.bindparam("letters", value=LETTERS, type_=postgresql.JSONB),
        sa.bindparam("attempts", type_=postgresql.ARRAY(sa.Uuid)),
    )
    # Emptied with the conversion: a column that is dropped keeps its room in rows that are not written again.
    op.alter_column("results", "scorecard", nullable=True, schema="ias")
    op.execute(LEAST_COMMON_MULTIPLE)
    for attempt_ids in _batches(connection):
        connection.execute(convert, {"attempts": attempt_ids})
    op.execute("drop aggregate ias.lcm_of(numeric)")
    if wrong := connection.scalar(sa.text(WRONG)):
        raise RuntimeError(f"{wrong} results do not add up to their scores; nothing was changed.")


def _batches(connection: sa.Connection) -> Iterator[Sequence[UUID]]:
    """The ids of all results, in parts."""
    statement = sa.text(
        "select attempt_id from ias.results where attempt_id > :last order by attempt_id limit :batch"
    )
    last = UUID(int=0)
    while found := connection.scalars(statement, {"last": last, "batch": BATCH}).all():
        yield found
        last = found[-1]


def _check_denominators(condition: str) -> None:
    op.drop_constraint(op.f("ck_results_denominators"), "results", schema="ias")
    op.create_check_constraint(op.f("ck_results_denominators"), "results", condition, schema="ias")


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    scorecard = sa.Column("scorecard", postgresql.JSONB(astext_type=sa.Text()))
    op.add_column("results", scorecard, schema="ias")
    _restore_scorecards()
    op.alter_column("results", "scorecard", nullable=False, schema="ias")
    _check_denominators(DENOMINATORS)
    op.drop_constraint(op.f("fk_results_key_id"), "results", schema="ias")
    for name in NEW_COLUMNS:
        op.drop_column("results", name, schema="ias")
    op.add_column("papers", sa.Column("key", postgresql.JSONB(astext_type=sa.Text())), schema="ias")
    op.execute(KEYS_BACK)
    op.alter_column("papers", "key", nullable=False, schema="ias")
    op.drop_table("paper_keys", schema="ias")
    op.execute(FILL_BEFORE)
    op.drop_constraint(
        op.f("uq_paper_questions_paper_id_position"), "paper_questions", type_="unique", schema="ias"
    )
    op.drop_column("paper_questions", "position", schema="ias")


def _restore_scorecards() -> None:
    connection = op.get_bind()
    sheets = sa.text(SHEETS).columns(rules=postgresql.JSONB, key=postgresql.JSONB)
    restore = sa.text(
        "update ias.results set scorecard = :scorecard where attempt_id = :attempt_id"
    ).bindparams(sa.bindparam("scorecard", type_=postgresql.JSONB))
    while rows := connection.execute(sheets, {"batch": BATCH}).all():
        values = [{"attempt_id": row.attempt_id, "scorecard": _scorecard(row)} for row in rows]
        connection.execute(restore, values)


def _scorecard(row: Any) -> dict[str, Any]:
    """A scorecard as the version before this one stored it."""
    names = {letter: name for name, letter in LETTERS.items()}
    outcomes = [names[letter] for letter in row.outcomes]
    marks = [Fraction(int(part), int(row.marks_denominator)) for part in row.marks.split()]
    place_of = {entry["id"]: place for place, entry in enumerate(row.rules["questions"])}
    maximum, reachable = Fraction(0), []
    for section in row.rules["sections"]:
        places = [place_of[question_id] for question_id in section["question_ids"]]
        maximum += _most(row, places, section["choose"])
        left = [place for place in places if not _is_prorated(row, place)]
        reachable.append(_most(row, left, section["choose"]))
    factor = maximum / sum(reachable)
    sections = []
    for section, most in zip(row.rules["sections"], reachable, strict=True):
        places = [place_of[question_id] for question_id in section["question_ids"]]
        tally = _tally([outcomes[place] for place in places], [marks[place] for place in places])
        of_section = {"section_id": section["id"], "factor": str(factor), "max_score": str(most * factor)}
        sections.append(of_section | tally)
    items = [
        {"question_id": entry["id"], "outcome": outcome, "marks": str(mark)}
        for entry, outcome, mark in zip(row.rules["questions"], outcomes, marks, strict=True)
    ]
    whole = {"factor": str(factor), "max_score": str(maximum), "sections": sections, "items": items}
    return whole | _tally(outcomes, marks)


def _is_prorated(row: Any, place: int) -> bool:
    question_id = row.rules["questions"][place]["id"]
    return row.rules["dropped"] == "prorate" and bool(row.key[question_id]["key"].get("dropped"))


def _most(row: Any, places: Sequence[int], choose: int | None) -> Fraction:
    correct = [Fraction(row.rules["questions"][place]["marks"]["correct"]) for place in places]
    return sum(correct[:choose], Fraction(0))


def _tally(outcomes: Sequence[str], marks: Sequence[Fraction]) -> dict[str, Any]:
    counts: dict[str, Any] = {name: outcomes.count(name) for name in LETTERS}
    return counts | {
        "marks_gained": str(sum((mark for mark in marks if mark > 0), Fraction(0))),
        "marks_lost": str(-sum((mark for mark in marks if mark < 0), Fraction(0))),
    }
