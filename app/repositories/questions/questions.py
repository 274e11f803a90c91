"""The question bank: questions and their immutable versions."""

import re
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Executable,
    Select,
    Uuid,
    bindparam,
    cast,
    column,
    func,
    insert,
    literal,
    literal_column,
    or_,
    select,
    union,
    union_all,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, INTEGER, JSONB, TEXT
from sqlalchemy.orm import contains_eager, joinedload

from app.core.comparable_text import searchable
from app.models import (
    Base,
    Institute,
    Passage,
    PassageVersion,
    Question,
    QuestionVersion,
)
from app.models.base import SCHEMA
from app.repositories.base import Page, PageRequest, Repository, decode_cursor
from app.repositories.embargo import Reader, held_questions
from app.repositories.locks import Mode, Rank
from app.repositories.violations import translate_violations

Values = dict[str, Any]


@dataclass(frozen=True, slots=True)
class QuestionFilter:
    """Which questions to list. None does not filter."""

    subject_id: UUID | None = None
    chapter_id: UUID | None = None
    tags: Sequence[str] = ()
    """The question must have one of these."""
    difficulty: str | None = None
    statuses: Collection[str] = ()
    query: str | None = None


@dataclass(frozen=True, slots=True)
class KnownPassage:
    """A passage that a question may use. Only retired questions may use a retired passage."""

    id: UUID
    name: str
    status: str

    @property
    def is_retired(self) -> bool:
        return self.status == "retired"


class _Rollback(Exception):
    """Raised to roll a savepoint back."""


class QuestionRepository(Repository):
    """Questions of one institute, each with its current version."""

    async def page(self, institute_id: UUID, wanted: QuestionFilter, page: PageRequest) -> Page[Question]:
        """Questions that match the filter, oldest first."""
        unnarrowed = replace(wanted, query=None)
        statement = _filtered(_current(institute_id), institute_id, unnarrowed)
        if wanted.query is None:
            return await self._page(statement, [Question.id], page)
        of_bank = _after_cursor(select(Question.id).where(Question.institute_id == institute_id), page)
        following = of_bank.order_by(Question.id).limit(_COMPARED_FIRST)
        compared = statement.where(Question.id.in_(following), _matches_query(wanted.query))
        found = await self._page(compared, [Question.id], page)
        if found.next_cursor is not None:
            return found
        of_bank = _filtered(of_bank.join(Question.version), institute_id, unnarrowed)
        first = _first_matching(of_bank, wanted.query, page)
        return await self._page(statement.where(Question.id.in_(first)), [Question.id], page)

    async def get(self, institute_id: UUID, question_id: UUID, *, lock: bool = False) -> Question | None:
        """One question. `lock` prevents others from revising it."""
        statement = _current(institute_id).where(Question.id == question_id)
        if lock:  # In a statement of its own: only the next one sees a version committed during the wait.
            held = select(Question.id).where(
                Question.institute_id == institute_id, Question.id == question_id
            )
            await self._lock(Rank.QUESTION, Mode.CHANGE, held)
        fresh = statement.execution_options(populate_existing=True)
        return (await self._session.scalars(fresh)).one_or_none()

    async def by_id(self, institute_id: UUID, question_ids: Collection[UUID]) -> dict[UUID, Question]:
        """Questions by id. Ids that the institute does not have are left out."""
        statement = _current(institute_id).where(Question.id.in_(question_ids))
        return {question.id: question for question in await self._session.scalars(statement)}

    async def languages(self, institute_id: UUID, wanted: QuestionFilter, reader: Reader) -> set[str]:
        """The languages of questions that match the filter and are not withheld from the reader.

        Those of their passages too.
        """
        options = func.jsonb_path_query(QuestionVersion.options, literal_column("'$[*].text'"))
        texts = (QuestionVersion.text, QuestionVersion.explanation, options)
        known = Question.id.not_in(held_questions(reader))
        places = select(Question.id).join(Question.version).where(known)
        spoken = [
            _filtered(places.with_only_columns(func.jsonb_object_keys(text)), institute_id, wanted)
            for text in texts
        ]
        in_passages = places.with_only_columns(func.jsonb_object_keys(PassageVersion.text)).join(
            Passage, Passage.id == QuestionVersion.passage_id
        )
        spoken.append(_filtered(in_passages.join(Passage.version), institute_id, wanted))
        return set(await self._session.scalars(union(*spoken)))

    async def types(self, institute_id: UUID, wanted: QuestionFilter, reader: Reader) -> set[str]:
        """The types of questions that pass the filter and are not withheld from this person."""
        known = select(QuestionVersion.type).select_from(Question).join(Question.version)
        known = known.where(Question.id.not_in(held_questions(reader))).distinct()
        return set(await self._session.scalars(_filtered(known, institute_id, wanted)))

    async def versions(self, question_id: UUID) -> Sequence[QuestionVersion]:
        """All versions of a question, newest first."""
        statement = (
            select(QuestionVersion)
            .where(QuestionVersion.question_id == question_id)
            .order_by(QuestionVersion.number.desc())
        )
        return (await self._session.scalars(statement)).all()

    async def passages(self, institute_id: UUID, ids: Collection[UUID]) -> dict[UUID, KnownPassage]:
        """Those of these passages that belong to the institute, by id."""
        statement = select(Passage.id, _name_of_passage(), Passage.status).where(
            Passage.institute_id == institute_id, Passage.id.in_(ids)
        )
        found = [KnownPassage(*row) for row in await self._session.execute(statement)]
        return {passage.id: passage for passage in found}

    async def lock_passages_shared(self, institute_id: UUID, ids: Collection[UUID]) -> None:
        """Lock the passages against retirement, revision and deletion until the transaction ends."""
        statement = select(Passage.id).where(Passage.institute_id == institute_id, Passage.id.in_(ids))
        await self._lock(Rank.PASSAGE, Mode.KEY_SHARE, statement.order_by(Passage.id))

    async def passages_named(self, institute_id: UUID, names: Collection[str]) -> dict[str, UUID]:
        """Passages by `external_id`, or by id if they have none."""
        name = _name_of_passage()
        statement = select(name, Passage.id).where(
            Passage.institute_id == institute_id, name == func.any(_texts(names))
        )
        return dict(iter(await self._session.execute(statement)))

    async def passage_names(self, passage_ids: Collection[UUID]) -> dict[UUID, str]:
        """The names by which `passages_named` finds these passages."""
        statement = select(Passage.id, _name_of_passage()).where(Passage.id.in_(passage_ids))
        return dict(iter(await self._session.execute(statement)))

    @asynccontextmanager
    async def rolled_back(self) -> AsyncIterator[None]:
        """Roll back what this block writes, for a dry run."""
        with suppress(_Rollback):
            async with self._session.begin_nested():
                yield
                raise _Rollback

    async def lock_bank(self, institute_id: UUID) -> None:
        """Lock the institute's bank for one import. Readers and single edits are not blocked."""
        statement = select(Institute.id).where(Institute.id == institute_id)
        await self._lock(Rank.INSTITUTE, Mode.CHANGE, statement)

    async def lock_unchanged(self, questions: Collection[Question]) -> bool:
        """Lock these questions. Returns False if one has changed since it was read."""
        ids = literal([question.id for question in questions], ARRAY(Uuid))
        known = Question.id == func.any(ids)
        await self._lock(Rank.QUESTION, Mode.CHANGE, select(Question.id).where(known).order_by(Question.id))
        rows = await self._session.execute(select(Question.id, Question.updated_at).where(known))
        updated_at = dict(iter(rows))
        return all(updated_at.get(question.id) == question.updated_at for question in questions)

    async def by_external_id(self, institute_id: UUID, external_ids: Collection[str]) -> Sequence[Question]:
        """Questions with these external ids."""
        statement = _current(institute_id).where(Question.external_id == func.any(_texts(external_ids)))
        return (await self._session.scalars(_reloaded(statement))).all()

    async def by_source(self, institute_id: UUID, places: Collection[tuple[str, int]]) -> Sequence[Question]:
        """Questions without an `external_id` that have one of these sources and one of these numbers."""
        # Two arrays can match more than the pairs. A join with the pairs would be exact, but takes a minute
        # for 20,000 of them if the table was just filled, because the planner's statistics still say it is
        # empty.
        sources, numbers = {source for source, _ in places}, {number for _, number in places}
        statement = _current(institute_id).where(
            Question.external_id.is_(None),
            Question.source == func.any(_texts(sources)),
            Question.source_number == func.any(literal(list(numbers), ARRAY(INTEGER))),
        )
        return (await self._session.scalars(_reloaded(statement))).all()

    async def by_fingerprint(self, institute_id: UUID, fingerprints: Collection[str]) -> Sequence[Question]:
        """Questions with these texts that have neither an `external_id` nor a source number, newest first."""
        statement = (
            _current(institute_id)
            .where(
                Question.fingerprint == func.any(_texts(fingerprints)),
                Question.external_id.is_(None),
                Question.source.is_(None) | Question.source_number.is_(None),
            )
            .order_by(Question.id.desc())
        )
        return (await self._session.scalars(_reloaded(statement))).all()

    async def add(self, questions: Sequence[Values], versions: Sequence[Values]) -> None:
        """Insert new questions with their first versions, in two statements."""
        if questions:
            await self._write(*_at_once(Question, questions))
            await self.add_versions(versions)

    async def add_versions(self, versions: Sequence[Values]) -> None:
        """Insert further versions. Use `change` to set `current_version`."""
        if versions:
            await self._write(*_at_once(QuestionVersion, versions))

    async def change(self, questions: Sequence[Values]) -> None:
        """Update questions by `id`. All rows must give the same columns."""
        if questions:
            await self._write(update(Question), questions)

    async def _write(self, statement: Executable, values: Values | Sequence[Values]) -> None:
        with translate_violations():
            await self._session.execute(statement, values)


def _at_once(model: type[Question | QuestionVersion], rows: Sequence[Values]) -> tuple[Executable, Values]:
    """A statement that inserts all rows, which must have the same columns, and its parameter.

    A statement for each row prepares the functions of the computed columns each time, which takes as long as
    half of their work.
    """
    table = Base.metadata.tables[f"{SCHEMA}.{model.__tablename__}"]
    columns = [column(name, table.c[name].type) for name in rows[0]]
    record = func.jsonb_to_recordset(bindparam("rows", type_=JSONB)).table_valued(*columns, name="row")
    typed = record.render_derived(with_types=True)
    values = [{name: _as_json(value) for name, value in row.items()} for row in rows]
    return insert(table).from_select([*rows[0]], select(*typed.c)), {"rows": values}


def _as_json(value: Any) -> Any:
    return str(value) if isinstance(value, UUID) else value


def _reloaded(statement: Select[Question]) -> Select[Question]:
    """Reload rows that the session has read before: they may have changed while it waited for a lock."""
    return statement.execution_options(populate_existing=True)


def _current(institute_id: UUID) -> Select[Question]:
    return (
        select(Question)
        .join(Question.version)
        .options(contains_eager(Question.version), joinedload(Question.subject), joinedload(Question.chapter))
        .where(Question.institute_id == institute_id)
    )


def _filtered(statement: Select[Any], institute_id: UUID, wanted: QuestionFilter) -> Select[Any]:
    equal = {
        Question.institute_id: institute_id,
        Question.subject_id: wanted.subject_id,
        Question.chapter_id: wanted.chapter_id,
        QuestionVersion.difficulty: wanted.difficulty,
    }
    statement = statement.where(*(column == value for column, value in equal.items() if value is not None))
    if wanted.statuses:
        statement = statement.where(Question.status.in_(wanted.statuses))
    if wanted.tags:
        statement = statement.where(QuestionVersion.tags.overlap(list(wanted.tags)))
    if wanted.query is not None:
        statement = statement.where(_matches_query(wanted.query))
    return statement


# PostgreSQL reads every dash as "not", and fails with more than 32 nested ones. Only a dash inside a word, or
# before a word or a quotation, is kept.
_LETTER = r"[\w\u0080-\U0010ffff]"
_MEANS_SOMETHING = rf'(?<={_LETTER})-(?={_LETTER})|(?<!\S)-(?="|{_LETTER})'
_MEANINGLESS_DASH = re.compile(rf"(?!{_MEANS_SOMETHING})-")


_COMPARED_FIRST = 200
"""How many questions are compared with a query one by one, before an index is asked.

They fill a page if many match. The index of trigrams would find all questions with the letters of frequent
words before the first page is shown.
"""


def _after_cursor(of_bank: Select[UUID], page: PageRequest) -> Select[UUID]:
    if page.cursor is None:
        return of_bank
    [after] = decode_cursor(page.cursor, [Question.id])
    return of_bank.where(Question.id > after)


def _first_matching(of_bank: Select[UUID], query: str, page: PageRequest) -> Select[UUID]:
    """The ids of questions that match a query, as many as a page needs.

    Each way to match has an index of its own. One condition for all of them would read the whole bank for a
    word that is rare.
    """
    first = [
        of_bank.where(way).order_by(Question.id).limit(page.limit + 1).subquery()
        for way in _ways_to_match(query)
    ]
    return select(union_all(*(select(each.c.id) for each in first)).subquery().c.id)


def _matches_query(query: str) -> ColumnElement[bool]:
    return or_(*_ways_to_match(query))


def _ways_to_match(query: str) -> Sequence[ColumnElement[bool]]:
    """Full-text search (with `"…"`, `or` and `-`), a part of the text, or the exact `external_id`."""
    said = searchable(query)
    words = _MEANINGLESS_DASH.sub(" ", said)
    english, hindi, other = (
        func.websearch_to_tsquery(literal_column(f"'pg_catalog.{dictionary}'::regconfig"), words)
        for dictionary in ("english", "hindi", "simple")
    )
    by_words = english.op("||")(hindi).op("||")(other)
    return (
        QuestionVersion.search.bool_op("@@")(by_words),
        QuestionVersion.words.icontains(said, autoescape=True),
        Question.external_id == query,
    )


def _name_of_passage() -> ColumnElement[str]:
    return func.coalesce(Passage.external_id, cast(Passage.id, TEXT))


def _texts(values: Collection[str]) -> Any:
    return literal(list(values), ARRAY(TEXT))
