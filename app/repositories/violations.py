"""Violated constraints, by their names, as what they mean to whoever sent the request."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from sqlalchemy import ForeignKeyConstraint
from sqlalchemy.exc import IntegrityError

from app.core.errors import AlreadyExists, DomainError, InUse, Invalid
from app.models import Base
from app.repositories.base import violated_constraint

TAKEN = {
    "uq_subjects_institute_id_slug": "Another subject has this slug.",
    "uq_chapters_subject_id_slug": "Another chapter of the subject has this slug.",
    "uq_passages_institute_id_external_id": "Another passage has this external_id.",
    "uq_questions_institute_id_external_id": "Another question has this external_id.",
    "uq_questions_institute_id_source_number": "Another question has this source and number.",
    "uq_registrations_exam_id_user_id": "The account is registered for this exam under another roll number.",
    "uq_exam_papers_exam_id_code": "The exam has a paper with this code.",
    "uq_exam_papers_exam_id_test_id": "The test is a paper of this exam already.",
}


STILL_NEEDED = {
    "fk_chapters_subject_id": "The subject still has chapters.",
    "fk_questions_subject_id": "The subject still has questions.",
    "fk_tests_subject_id": "The subject still has tests.",
    "fk_chapters_parent_id": "The chapter still has chapters of its own.",
    "fk_questions_chapter_id": "The chapter still has questions.",
    "fk_question_versions_passage_id": "Questions have, or had, this passage. Retire it instead.",
}


@contextmanager
def violations_told() -> Iterator[None]:
    """Raise what a violated constraint means instead of the driver's error."""
    try:
        yield
    except IntegrityError as error:
        if (meaning := domain_error_of_violation(error)) is None:
            raise
        raise meaning from error


def domain_error_of_violation(error: IntegrityError) -> DomainError | None:
    """What a violated constraint means; None for one that no request may violate, which is a bug.

    A use case checks what it can say better by itself. This is for what another transaction has done since
    the check: rows that a new row refers to are gone, or rows have come that refer to the deleted one.
    """
    name = violated_constraint(error) or ""
    if name in TAKEN:
        return AlreadyExists(TAKEN[name])
    constraint = _foreign_keys().get(name)
    if constraint is None:
        return None
    if (error.statement or "").lstrip().upper().startswith("DELETE"):
        others = constraint.table.name.replace("_", " ")
        return InUse(STILL_NEEDED.get(name, f"There are {others} that still need it."))
    (column,) = constraint.columns
    return Invalid.field(column.name, f"there is no such {_singular(constraint.referred_table.name)}")


@cache
def _foreign_keys() -> dict[str, ForeignKeyConstraint]:
    """All foreign keys of the schema, by name."""
    return {
        str(constraint.name): constraint
        for table in Base.metadata.sorted_tables
        for constraint in table.foreign_key_constraints
    }


def _singular(table: str) -> str:
    return table.replace("_", " ").removesuffix("s")
