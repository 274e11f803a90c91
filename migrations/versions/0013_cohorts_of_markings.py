"""Attempts at a test are ranked together if their papers have the same marking.

Each key gets a fingerprint of its marking and a cohort. The first marking of a test keeps the test's id as
its cohort, every other one gets a new id. Results move to the cohort of their key, and the histograms of the
tests with several markings are counted again. Exam papers keep theirs.

Revision: 0013
Follows: 0012
"""

import hashlib
import json
import uuid
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

KEYS = """
    select paper_keys.id, papers.test_id, papers.rules, paper_keys.key
    from ias.paper_keys join ias.papers on papers.id = paper_keys.paper_id
    order by papers.test_id, papers.version, paper_keys.number
"""
SET = "update ias.paper_keys set fingerprint = :fingerprint, cohort_id = :cohort_id where id = :id"
MOVE_RESULTS = """
    update ias.results set cohort_id = paper_keys.cohort_id
    from ias.paper_keys, ias.attempts
    where paper_keys.id = results.key_id and attempts.id = results.attempt_id
      and attempts.exam_paper_id is null and results.cohort_id <> paper_keys.cohort_id
"""
MOVE_RESULTS_BACK = """
    update ias.results set cohort_id = attempts.test_id from ias.attempts
    where attempts.id = results.attempt_id and attempts.exam_paper_id is null
      and results.cohort_id <> attempts.test_id
"""
OF_TESTS = """
    select papers.test_id from ias.papers join ias.paper_keys on paper_keys.paper_id = papers.id
    group by papers.test_id having count(distinct paper_keys.cohort_id) > 1
    union
    select paper_keys.cohort_id from ias.paper_keys join ias.papers on papers.id = paper_keys.paper_id
    where paper_keys.cohort_id <> papers.test_id
"""
FORGET = f"delete from ias.score_counts where cohort_id in ({OF_TESTS})"  # noqa: S608 -- a constant
COUNT = f"""
    insert into ias.score_counts (cohort_id, numerator, denominator, candidates)
    select cohort_id, score_numerator, score_denominator, count(*) from ias.results
    where counted and cohort_id in ({OF_TESTS})
    group by cohort_id, score_numerator, score_denominator
"""  # noqa: S608 -- a constant


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.add_column("paper_keys", sa.Column("fingerprint", sa.String()), schema="ias")
    op.add_column("paper_keys", sa.Column("cohort_id", sa.Uuid()), schema="ias")
    cohorts: dict[tuple[uuid.UUID, str], uuid.UUID] = {}
    tests: set[uuid.UUID] = set()
    for row in op.get_bind().execute(sa.text(KEYS)).all():
        fingerprint = marking_fingerprint(row.rules, row.key)
        cohort_id = uuid.uuid5(row.test_id, fingerprint) if row.test_id in tests else row.test_id
        tests.add(row.test_id)
        cohort_id = cohorts.setdefault((row.test_id, fingerprint), cohort_id)
        values = {"id": row.id, "fingerprint": fingerprint, "cohort_id": cohort_id}
        op.get_bind().execute(sa.text(SET), values)
    op.alter_column("paper_keys", "fingerprint", nullable=False, schema="ias")
    op.alter_column("paper_keys", "cohort_id", nullable=False, schema="ias")
    op.create_index("ix_paper_keys_cohort_id", "paper_keys", ["cohort_id"], schema="ias")
    op.execute(MOVE_RESULTS)
    op.execute(FORGET)
    op.execute(COUNT)


def downgrade() -> None:
    """One histogram for each test again. Merged cohorts are not kept apart by a later upgrade."""
    op.execute("set local lock_timeout = '5s'")
    op.execute(FORGET)
    op.execute(MOVE_RESULTS_BACK)
    op.execute(COUNT)
    op.drop_index("ix_paper_keys_cohort_id", "paper_keys", schema="ias")
    op.drop_column("paper_keys", "cohort_id", schema="ias")
    op.drop_column("paper_keys", "fingerprint", schema="ias")


def marking_fingerprint(rules: Mapping[str, Any], answer_key: Mapping[str, Any]) -> str:
    """The fingerprint as `services/tests/cohorts.py` computed it at this version; a test compares them."""
    question_of = {entry["id"]: entry for entry in rules["questions"]}
    free, ruled = [], []
    for section in rules["sections"]:
        items = [_question(question_of[each], answer_key[each]["key"]) for each in section["question_ids"]]
        choose, minimum = section["choose"], _exact(section.get("minimum_marks"))
        if choose is None and minimum is None:
            free += items
        else:
            ruled.append([choose, minimum, items if choose is not None else _in_order(items)])
    marking = {
        "questions": _in_order(free),
        "sections": _in_order(ruled),
        "dropped": rules["dropped"],
        "rounding": rules["rounding"],
        "most_unmarked_percent": _exact(rules.get("most_unmarked_percent")),
    }
    return hashlib.sha256(_json(marking).encode()).hexdigest()


def _question(entry: Mapping[str, Any], key: Any) -> list[Any]:
    marks = entry["marks"]
    return [
        entry["id"],
        entry["type"],
        _exact(marks["correct"]),
        _exact(marks["incorrect"]),
        _exact(marks.get("unattempted", "0")),
        marks.get("partial") or "none",
        marks.get("not_attempted_option"),
        key,
    ]


def _exact(marks: str | None) -> str | None:
    return str(Fraction(marks)) if marks is not None else None


def _in_order(items: Sequence[Any]) -> list[Any]:
    return sorted(items, key=_json)


def _json(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))
