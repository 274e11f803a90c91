"""Questions that say nearly the same, found by the sketches that PostgreSQL keeps of them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import CTE, ColumnElement, Select, Uuid, and_, func, literal, or_, select, true, tuple_
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import aliased

from app.models import Question, QuestionVersion
from app.repositories.base import Page, PageRequest, Repository, decode_cursor, encode_cursor

# A page looks at so many questions at most: it may be short, and the list goes on all the same.
LOOKED_AT = 100
# In small steps: where very many are alike, the first ones fill a page.
AT_ONCE = 10
# Of very many questions that are alike, each is measured with so many.
MOST_NEAR = 50
_LAST = UUID(int=2**128 - 1)

_Other, _OtherSaid = aliased(Question), aliased(QuestionVersion)


@dataclass(frozen=True, slots=True)
class Pair:
    """Two questions and how alike they are, from 0 to 1."""

    question_id: UUID
    other_id: UUID
    similarity: float


class LikenessRepository(Repository):
    """Pairs of questions of one institute in their current versions; retired ones are left alone."""

    async def nearest(
        self, institute_id: UUID, question_ids: Collection[UUID], threshold: float
    ) -> Sequence[Pair]:
        """For each of these questions the one that is most like it, if any is. Of two of them, the later."""
        mine = _said(institute_id, Question.id.in_(question_ids))
        measured = _measured(mine, institute_id).where(
            or_(_Other.id.not_in(question_ids), _Other.id < mine.c.id)
        )
        pairs = measured.subquery()
        statement = (
            select(pairs)
            .where(pairs.c.likeness >= threshold)
            .ext(distinct_on(pairs.c.id))
            .order_by(pairs.c.id, pairs.c.likeness.desc(), pairs.c.other_id)
        )
        return await self._by_sketch(statement)

    async def page(
        self, institute_id: UUID, subject_id: UUID | None, threshold: float, page: PageRequest
    ) -> Page[Pair]:
        """Pairs within the bank or within a subject, each once, by their older question."""
        keys = (Question.id, Question.id)
        after = decode_cursor(page.cursor, keys) if page.cursor else [UUID(int=0), UUID(int=0)]
        looked_at = await self._ids_from(institute_id, subject_id, after[0])
        pairs: list[Pair] = []
        for start in range(0, len(looked_at), AT_ONCE):
            some = looked_at[start : start + AT_ONCE]
            pairs += await self._pairs_of(institute_id, subject_id, threshold, some, after, page.limit + 1)
            if len(pairs) > page.limit:
                shown = pairs[: page.limit]
                return Page(shown, encode_cursor([shown[-1].question_id, shown[-1].other_id]))
        more = len(looked_at) == LOOKED_AT
        return Page(pairs, encode_cursor([looked_at[-1], _LAST]) if more else None)

    async def _pairs_of(
        self,
        institute_id: UUID,
        subject_id: UUID | None,
        threshold: float,
        question_ids: Collection[UUID],
        after: Sequence[UUID],
        limit: int,
    ) -> list[Pair]:
        """Pairs whose older question is one of these, after a pair, in their order."""
        mine = _said(institute_id, Question.id.in_(question_ids))
        measured = _measured(mine, institute_id).where(
            mine.c.id < _Other.id,
            tuple_(mine.c.id, _Other.id) > tuple_(*(literal(value, Uuid) for value in after)),
        )
        if subject_id is not None:
            measured = measured.where(_Other.subject_id == subject_id)
        found = measured.subquery()
        statement = select(found).where(found.c.likeness >= threshold)
        return await self._by_sketch(statement.order_by(found.c.id, found.c.other_id).limit(limit))

    async def _by_sketch(self, statement: Select[UUID, UUID, float]) -> list[Pair]:
        # Of rows that have just been written the planner knows nothing, and would rather compare them all.
        await self._session.execute(select(func.set_config("enable_seqscan", "off", True)))
        rows = await self._session.execute(statement)
        pairs = [Pair(*row) for row in rows]
        await self._session.execute(select(func.set_config("enable_seqscan", "on", True)))
        return pairs

    async def _ids_from(self, institute_id: UUID, subject_id: UUID | None, first: UUID) -> Sequence[UUID]:
        statement = select(Question.id).where(
            Question.institute_id == institute_id, Question.id >= first, Question.status != "retired"
        )
        if subject_id is not None:
            statement = statement.where(Question.subject_id == subject_id)
        return (await self._session.scalars(statement.order_by(Question.id).limit(LOOKED_AT))).all()


def _said(institute_id: UUID, which: ColumnElement[bool]) -> CTE:
    """These questions and what they say, once each."""
    wording = func.ias.question_wording(QuestionVersion.text, QuestionVersion.options)
    return (
        select(Question.id, QuestionVersion.sketch, wording.label("wording"))
        .join(Question.version)
        .where(Question.institute_id == institute_id, Question.status != "retired", which)
        .cte("mine")
        .prefix_with("materialized")
    )


def _measured(mine: CTE, institute_id: UUID) -> Select[UUID, UUID, float]:
    """Pairs of them and others that are worth measuring, with their likeness."""
    # The limit lets each of mine look for its own near ones by the index, and bounds the work where very many
    # are alike; a join inside it would tempt the planner to begin elsewhere. To measure is dear, and pairs
    # with one band in common are mostly chance.
    near = (
        select(_OtherSaid)
        .where(
            _OtherSaid.sketch.overlap(mine.c.sketch),
            _OtherSaid.question_id != mine.c.id,
            func.ias.bands_in_common(mine.c.sketch, _OtherSaid.sketch) >= 2,
        )
        .limit(MOST_NEAR)
        .lateral("near")
    )
    likeness = func.ias.likeness(mine.c.wording, func.ias.question_wording(near.c.text, near.c.options))
    return (
        select(mine.c.id, _Other.id.label("other_id"), likeness.label("likeness"))
        .select_from(mine)
        .join(near, true())
        .join(_Other, and_(_Other.id == near.c.question_id, _Other.current_version == near.c.number))
        .where(_Other.institute_id == institute_id, _Other.id != mine.c.id, _Other.status != "retired")
    )
