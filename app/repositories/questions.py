"""The question bank: questions and their immutable versions."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, insert, literal, select, update
from sqlalchemy.dialects.postgresql import ARRAY, INTEGER, TEXT
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import contains_eager

from app.core.errors import AlreadyExists, Invalid
from app.models import Institute, Passage, Question, QuestionVersion
from app.repositories.base import Page, PageRequest, Repository, violated_constraint

Values = dict[str, Any]

_TAKEN = {
    "uq_questions_institute_id_external_id": "Another question has this external_id.",
    "uq_questions_institute_id_source_number": "Another question has this source and number.",
}

# Checked before, but somebody may delete them between.
_GONE = {
    "fk_questions_subject_id": ("subject_id", "there is no such subject"),
    "fk_questions_chapter_id": ("chapter_id", "there is no such chapter in the subject"),
}


@dataclass(frozen=True, slots=True)
class QuestionFilter:
    """What a list of questions is narrowed to; None is everything."""

    subject_id: UUID | None = None
    chapter_id: UUID | None = None
    tag: str | None = None
    difficulty: str | None = None
    status: str | None = None
    query: str | None = None


class QuestionRepository(Repository):
    """Questions of one institute, each together with its current version."""

    async def page(self, institute_id: UUID, wanted: QuestionFilter, page: PageRequest) -> Page[Question]:
        """Questions that pass the filter, the oldest first."""
        statement = _narrowed(_current(institute_id), wanted)
        return await self._page(statement, [Question.id], page)

    async def get(self, institute_id: UUID, question_id: UUID, *, lock: bool = False) -> Question | None:
        """One question; with `lock` nobody else revises it meanwhile."""
        statement = _current(institute_id).where(Question.id == question_id)
        if lock:
            statement = statement.with_for_update(key_share=True, of=Question)
        fresh = statement.execution_options(populate_existing=True)
        return (await self._session.scalars(fresh)).one_or_none()

    async def versions(self, question_id: UUID) -> Sequence[QuestionVersion]:
        """What a question said, the newest first."""
        statement = (
            select(QuestionVersion)
            .where(QuestionVersion.question_id == question_id)
            .order_by(QuestionVersion.number.desc())
        )
        return (await self._session.scalars(statement)).all()

    async def passages(self, institute_id: UUID, ids: Collection[UUID]) -> set[UUID]:
        """Which of these are passages."""
        statement = select(Passage.id).where(Passage.institute_id == institute_id, Passage.id.in_(ids))
        return set(await self._session.scalars(statement))

    async def passages_named(self, institute_id: UUID, external_ids: Collection[str]) -> dict[str, UUID]:
        """Passages by their `external_id`."""
        statement = select(Passage.external_id, Passage.id).where(
            Passage.institute_id == institute_id, Passage.external_id == func.any(_texts(external_ids))
        )
        return {name: passage_id for name, passage_id in await self._session.execute(statement) if name}

    async def lock_bank(self, institute_id: UUID) -> None:
        """Let one import at a time work on the institute's bank; readers and single edits go on."""
        statement = select(Institute.id).where(Institute.id == institute_id)
        await self._session.execute(statement.with_for_update(key_share=True))

    async def by_external_id(self, institute_id: UUID, external_ids: Collection[str]) -> Sequence[Question]:
        """Questions with one of these names."""
        statement = _current(institute_id).where(Question.external_id == func.any(_texts(external_ids)))
        return (await self._session.scalars(statement)).all()

    async def by_source(self, institute_id: UUID, places: Collection[tuple[str, int]]) -> Sequence[Question]:
        """Questions without an `external_id` from these sources, with one of these numbers there."""
        # Two arrays may match more than the pairs. To join with the pairs would be exact, and takes a minute
        # for 20,000 of them where the table has just been filled: the planner still believes it empty.
        sources, numbers = {source for source, _ in places}, {number for _, number in places}
        statement = _current(institute_id).where(
            Question.external_id.is_(None),
            Question.source == func.any(_texts(sources)),
            Question.source_number == func.any(literal(list(numbers), ARRAY(INTEGER))),
        )
        return (await self._session.scalars(statement)).all()

    async def by_fingerprint(self, institute_id: UUID, fingerprints: Collection[str]) -> Sequence[Question]:
        """Questions that have no other identity than their text, the newest first."""
        statement = (
            _current(institute_id)
            .where(
                Question.fingerprint == func.any(_texts(fingerprints)),
                Question.external_id.is_(None),
                Question.source.is_(None) | Question.source_number.is_(None),
            )
            .order_by(Question.id.desc())
        )
        return (await self._session.scalars(statement)).all()

    async def add(self, questions: Sequence[Values], versions: Sequence[Values]) -> None:
        """Write new questions with their first versions, as many as there are, in two statements."""
        if questions:
            await self._write(insert(Question), questions)
            await self.add_versions(versions)

    async def add_versions(self, versions: Sequence[Values]) -> None:
        """Write further versions; `current_version` is changed by `change`."""
        if versions:
            await self._session.execute(insert(QuestionVersion), versions)

    async def change(self, questions: Sequence[Values]) -> None:
        """Change columns of questions, named by `id`; all of them give the same columns."""
        if questions:
            await self._write(update(Question), questions)

    async def _write(self, statement: Any, rows: Sequence[Values]) -> None:
        try:
            await self._session.execute(statement, rows)
        except IntegrityError as error:
            constraint = violated_constraint(error) or ""
            if constraint in _TAKEN:
                raise AlreadyExists(_TAKEN[constraint]) from error
            if constraint in _GONE:
                raise Invalid.field(*_GONE[constraint]) from error
            raise


def _current(institute_id: UUID) -> Select[Question]:
    return (
        select(Question)
        .join(Question.version)
        .options(contains_eager(Question.version))
        .where(Question.institute_id == institute_id)
    )


def _narrowed(statement: Select[Question], wanted: QuestionFilter) -> Select[Question]:
    equal = {
        Question.subject_id: wanted.subject_id,
        Question.chapter_id: wanted.chapter_id,
        Question.status: wanted.status,
        QuestionVersion.difficulty: wanted.difficulty,
    }
    statement = statement.where(*(column == value for column, value in equal.items() if value is not None))
    if wanted.tag is not None:
        statement = statement.where(QuestionVersion.tags.contains([wanted.tag]))
    if wanted.query is not None:
        text = func.jsonb_each_text(QuestionVersion.text).table_valued("language", "words").render_derived()
        found = select(1).select_from(text).where(text.c.words.icontains(wanted.query, autoescape=True))
        statement = statement.where(found.exists())
    return statement


def _texts(values: Collection[str]) -> Any:
    return literal(list(values), ARRAY(TEXT))
