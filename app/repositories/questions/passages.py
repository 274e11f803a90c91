"""Passages: texts and data sets that several questions share, with their immutable versions."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Select, delete, exists, func, select
from sqlalchemy.orm import contains_eager

from app.models import Passage, PassageVersion, Question, QuestionVersion
from app.repositories.base import Page, PageRequest, Repository
from app.repositories.locks import Mode, Rank
from app.repositories.violations import translate_violations


@dataclass(frozen=True, slots=True)
class PassageFilter:
    """Which passages to list. None does not filter."""

    query: str | None = None
    status: str | None = None


class PassageRepository(Repository):
    """Passages of one institute, each with its current version."""

    async def page(self, institute_id: UUID, wanted: PassageFilter, page: PageRequest) -> Page[Passage]:
        """Passages that match the filter, oldest first."""
        return await self._page(_filtered(_current(institute_id), wanted), [Passage.id], page)

    async def get(self, institute_id: UUID, passage_id: UUID, *, lock: bool = False) -> Passage | None:
        """One passage. `lock` prevents others from revising it or adding it to a question."""
        statement = _current(institute_id).where(Passage.id == passage_id)
        if lock:  # In a statement of its own: only the next one sees a version committed during the wait.
            held = select(Passage.id).where(Passage.institute_id == institute_id, Passage.id == passage_id)
            await self._lock(Rank.PASSAGE, Mode.EXCLUSIVE, held)
        fresh = statement.execution_options(populate_existing=True)
        return (await self._session.scalars(fresh)).one_or_none()

    async def versions(self, passage_id: UUID) -> Sequence[PassageVersion]:
        """All versions of a passage, newest first."""
        statement = select(PassageVersion).where(PassageVersion.passage_id == passage_id)
        return (await self._session.scalars(statement.order_by(PassageVersion.number.desc()))).all()

    async def is_used(self, passage_id: UUID) -> bool:
        """Whether a question that is not retired uses the passage."""
        used = (
            select(Question.id)
            .join(Question.version)
            .where(Question.status != "retired", QuestionVersion.passage_id == passage_id)
        )
        return bool(await self._session.scalar(select(used.exists())))

    async def add(self, row: Passage | PassageVersion) -> None:
        """Insert a new passage or version."""
        self._session.add(row)
        await self.flush()

    async def flush(self) -> None:
        """Send pending changes to the database. Raises AlreadyExists if an `external_id` is in use."""
        with translate_violations():
            await self._session.flush()

    async def delete(self, passage: Passage) -> None:
        """Delete a passage with its versions. Raises InUse if any version of a question refers to it."""
        with translate_violations():
            await self._session.execute(delete(Passage).where(Passage.id == passage.id))


def _current(institute_id: UUID) -> Select[Passage]:
    return (
        select(Passage)
        .join(Passage.version)
        .options(contains_eager(Passage.version))
        .where(Passage.institute_id == institute_id)
    )


def _filtered(statement: Select[Passage], wanted: PassageFilter) -> Select[Passage]:
    if wanted.status is not None:
        statement = statement.where(Passage.status == wanted.status)
    if wanted.query is not None:
        text = func.jsonb_each_text(PassageVersion.text).table_valued("language", "words").render_derived()
        found = exists().select_from(text).where(text.c.words.icontains(wanted.query, autoescape=True))
        statement = statement.where(found)
    return statement
