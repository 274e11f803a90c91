"""Passages: texts and data sets that several questions share, with their immutable versions."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, column, delete, exists, func, insert, literal, select, update
from sqlalchemy import Uuid as SqlUuid
from sqlalchemy.dialects.postgresql import ARRAY, TEXT
from sqlalchemy.orm import contains_eager

from app.models import LocalizedText, Passage, PassageVersion, Question, QuestionVersion
from app.repositories.base import Page, PageRequest, Repository
from app.repositories.locks import Mode, Rank
from app.repositories.violations import translate_violations

Values = dict[str, Any]


@dataclass(frozen=True, slots=True)
class PassageText:
    """The content of a passage in its current version."""

    id: UUID
    number: int
    text: LocalizedText
    media: list[str]


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

    async def texts(self, passage_ids: Collection[UUID], *, lock: bool = False) -> dict[UUID, PassageText]:
        """The current versions of these passages. `lock` prevents others from revising them."""
        if lock:
            held = select(Passage.id).where(Passage.id.in_(passage_ids)).order_by(Passage.id)
            await self._lock(Rank.PASSAGE, Mode.EXCLUSIVE, held)
        statement = (
            select(Passage.id, PassageVersion.number, PassageVersion.text, PassageVersion.media)
            .join(Passage.version)
            .where(Passage.id.in_(passage_ids))
        )
        found = [PassageText(*row) for row in await self._session.execute(statement)]
        return {passage.id: passage for passage in found}

    async def with_texts(
        self, institute_id: UUID, texts: Collection[tuple[str, str]]
    ) -> dict[tuple[str, str], list[UUID]]:
        """The passages that have one of these texts, each a language and its words.

        Spaces and characters without a shape do not matter. Active passages come first, then the oldest.
        """
        wanted = (
            func.unnest(
                literal([language for language, _ in texts], ARRAY(TEXT)),
                literal([words for _, words in texts], ARRAY(TEXT)),
            )
            .table_valued(column("language", TEXT), column("words", TEXT), name="wanted")
            .render_derived()
        )
        has = _plain(PassageVersion.text.op("->>", return_type=TEXT)(wanted.c.language)) == _plain(
            wanted.c.words
        )
        statement = (
            select(wanted.c.language, wanted.c.words, Passage.id)
            .join(Passage.version)
            .join(wanted, has)
            .where(Passage.institute_id == institute_id)
            .order_by(Passage.status, Passage.id)
        )
        found: dict[tuple[str, str], list[UUID]] = {}
        for language, words, passage_id in await self._session.execute(statement):
            found.setdefault((language, words), []).append(passage_id)
        return found

    async def used_by_others(
        self, passage_ids: Collection[UUID], question_ids: Collection[UUID]
    ) -> dict[UUID, int]:
        """How many questions that are not retired have each of these passages, besides the given ones."""
        statement = (
            select(Passage.id, func.count())
            .select_from(Question)
            .join(Question.version)
            .join(Passage, Passage.id == QuestionVersion.passage_id)
            .where(
                Passage.id.in_(passage_ids),
                Question.status != "retired",
                Question.id != func.all(literal(list(question_ids), ARRAY(SqlUuid))),
            )
            .group_by(Passage.id)
        )
        return dict(iter(await self._session.execute(statement)))

    async def write(
        self, passages: Sequence[Values], versions: Sequence[Values], changes: Sequence[Values]
    ) -> None:
        """Insert passages and versions, and update passages by `id`."""
        with translate_violations():
            for statement, rows in (
                (insert(Passage), passages),
                (insert(PassageVersion), versions),
                (update(Passage), changes),
            ):
                if rows:
                    await self._session.execute(statement, rows)

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


def _plain(text: ColumnElement[str]) -> ColumnElement[str]:
    """The text with single spaces and without characters that have no shape."""
    return func.btrim(func.regexp_replace(func.ias.plain_text(text), r"\s+", " ", "g"))


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
