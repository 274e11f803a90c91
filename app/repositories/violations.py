"""Violated constraints as domain errors, by the names of the constraints."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from sqlalchemy import ForeignKeyConstraint
from sqlalchemy.exc import IntegrityError

from app.core.errors import AlreadyExists, DomainError, InUse, Invalid
from app.models import Base
from app.repositories.base import violated_constraint
from app.sentences import Sentence

ALREADY_EXISTS = {
    "uq_subjects_institute_id_slug": "Another subject has this slug.",
    "uq_chapters_subject_id_slug": "Another chapter of the subject has this slug.",
    "uq_passages_institute_id_external_id": "Another passage has this external_id.",
    "uq_questions_institute_id_external_id": "Another question has this external_id.",
    "uq_questions_institute_id_source_number": "Another question has this source and number.",
    "uq_tests_institute_id_reference": "Another test has this reference.",
    "uq_exams_institute_id_reference": "Another exam has this reference.",
    "uq_registrations_exam_id_user_id": "The account is registered for this exam under another roll number.",
    "uq_exam_papers_exam_id_code": "The exam has a paper with this code.",
    "uq_exam_papers_exam_id_test_id": "The test is a paper of this exam already.",
}


STILL_REFERENCED = {
    "fk_chapters_subject_id": "The subject still has chapters.",
    "fk_questions_subject_id": "The subject still has questions.",
    "fk_tests_subject_id": "The subject still has tests.",
    "fk_chapters_parent_id": "The chapter still has chapters of its own.",
    "fk_questions_chapter_id": "The chapter still has questions.",
    "fk_question_versions_passage_id": "Questions use, or have used, this passage. Retire it instead.",
}


@contextmanager
def translate_violations() -> Iterator[None]:
    """Raise the domain error of a violated constraint instead of the driver's error."""
    try:
        yield
    except IntegrityError as error:
        if (domain_error := domain_error_of_violation(error)) is None:
            raise
        raise domain_error from error


def domain_error_of_violation(error: IntegrityError) -> DomainError | None:
    """The domain error of a violated constraint. None if no request can violate it: that is a bug.

    Use cases check first and give a better message. This handles what another transaction has changed since
    the check: it deleted a row that a new row refers to, or added a row that refers to a deleted one.
    """
    name = violated_constraint(error) or ""
    if name in ALREADY_EXISTS:
        return AlreadyExists(ALREADY_EXISTS[name])
    constraint = _foreign_keys().get(name)
    if constraint is None:
        return None
    if (error.statement or "").lstrip().upper().startswith("DELETE"):
        return InUse(STILL_REFERENCED.get(name, Sentence("Other data still refer to it.")))
    (column,) = constraint.columns
    return Invalid.field(column.name, "What this id names does not exist.")


@cache
def _foreign_keys() -> dict[str, ForeignKeyConstraint]:
    """All foreign keys of the schema, by name."""
    return {
        str(constraint.name): constraint
        for table in Base.metadata.sorted_tables
        for constraint in table.foreign_key_constraints
    }
