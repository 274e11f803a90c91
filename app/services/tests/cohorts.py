"""Cohorts of tests: the paper versions whose attempts are ranked together (docs/decisions/0054)."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any
from uuid import UUID

from app.core.errors import Invalid
from app.core.ids import uuid7
from app.engine.partial_rules import NO_PARTIAL_MARKS
from app.models import KeyVersion, Test
from app.sentences import Sentence
from app.services.unit_of_work import Reading, UnitOfWork

JsonObject = Mapping[str, Any]


def marking_fingerprint(rules: JsonObject, answer_key: Mapping[str, JsonObject]) -> str:
    """Return a digest of everything that decides what answers are worth.

    These are the questions, their marks and keys, and the rules over sections and sheets. Texts, times and
    the order of questions do not matter, except the order in a section where only the first answers count.
    Stored fingerprints are compared with new ones, so that this function must not change its results.
    """
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


def _question(entry: JsonObject, key: JsonObject) -> list[Any]:
    marks = entry["marks"]
    return [
        entry["id"],
        entry["type"],
        _exact(marks["correct"]),
        _exact(marks["incorrect"]),
        _exact(marks.get("unattempted", "0")),
        marks.get("partial") or NO_PARTIAL_MARKS.name,
        marks.get("not_attempted_option"),
        key,
    ]


def _exact(marks: str | None) -> str | None:
    return str(Fraction(marks)) if marks is not None else None


def _in_order(items: Sequence[Any]) -> list[Any]:
    return sorted(items, key=_json)


def _json(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


async def cohort_of(reads: Reading, test: Test, fingerprint: str, ranked_with: int | None) -> UUID:
    """The cohort of a new paper version with this marking.

    Versions with the same marking share one. `ranked_with` names a version whose cohort is taken in any case.
    The cohort of a test's first version has the test's id. Raises Invalid if there is no such version.
    """
    if ranked_with is not None:
        named = await reads.keys.cohort_of_version(test.id, ranked_with)
        if named is None:
            raise Invalid.field(
                "ranked_with", Sentence("The test has no published version {version}.", version=ranked_with)
            )
        return named
    same = await reads.keys.cohort_with(test.id, fingerprint)
    return same or (test.id if test.paper_version is None else uuid7())


async def add_key_version(
    uow: UnitOfWork, paper_id: UUID, key: JsonObject, *, reason: str, created_by: UUID | None
) -> KeyVersion:
    """Add the next version of a paper's key (docs/decisions/0047).

    Results that it regrades leave the cohort of the version before, and join those of equal marking.
    """
    paper = await uow.tests.paper(paper_id)
    fingerprint = marking_fingerprint(paper.rules, key)
    same = await uow.keys.cohort_with(paper.test_id, fingerprint)
    version = KeyVersion(
        paper_id=paper_id,
        key=dict(key),
        fingerprint=fingerprint,
        cohort_id=same or uuid7(),
        reason=reason,
        created_by=created_by,
    )
    return await uow.keys.add_next(version)
