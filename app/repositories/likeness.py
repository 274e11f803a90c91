"""Questions that say nearly the same, found by the sketches that PostgreSQL keeps of them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Select, Uuid, and_, case, func, literal, or_, select, tuple_
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import aliased

from app.models import Question, QuestionVersion
from app.repositories.base import Page, PageRequest, Repository, decode_cursor, encode_cursor

# A page looks at so many questions at most: it may be short, and the list goes on all the same.
LOOKED_AT = 500
_LAST = UUID(int=2**128 - 1)

_Other = aliased(Question)
_Said, _OtherSaid = aliased(QuestionVersion), aliased(QuestionVersion)
# To measure is dear; pairs with one band in common are mostly chance.
_likeness = case(
    (
        func.ias.bands_in_common(_Said.sketch, _OtherSaid.sketch) >= 2,
        func.ias.likeness(
            func.ias.question_wording(_Said.text, _Said.options),
            func.ias.question_wording(_OtherSaid.text, _OtherSaid.options),
        ),
    )
)


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
        statement = (
            _pairs(institute_id, threshold)
            .where(
                Question.id.in_(question_ids),
                or_(_Other.id.not_in(question_ids), _Other.id < Question.id),
            )
            .ext(distinct_on(Question.id))
            .order_by(Question.id, _likeness.desc(), _Other.id)
        )
        return await self._measured(statement)

    async def page(
        self, institute_id: UUID, subject_id: UUID | None, threshold: float, page: PageRequest
    ) -> Page[Pair]:
        """Pairs within the bank or within a subject, each once, by their older question."""
        keys = (Question.id, Question.id)
        after = decode_cursor(page.cursor, keys) if page.cursor else [UUID(int=0), UUID(int=0)]
        looked_at = await self._ids_from(institute_id, subject_id, after[0])
        statement = _pairs(institute_id, threshold).where(
            Question.id.in_(looked_at),
            Question.id < _Other.id,
            tuple_(Question.id, _Other.id) > tuple_(*(literal(value, Uuid) for value in after)),
        )
        if subject_id is not None:
            statement = statement.where(_Other.subject_id == subject_id)
        statement = statement.order_by(Question.id, _Other.id).limit(page.limit + 1)
        pairs = await self._measured(statement)
        shown = pairs[: page.limit]
        if len(pairs) > page.limit:
            return Page(shown, encode_cursor([shown[-1].question_id, shown[-1].other_id]))
        more = len(looked_at) == LOOKED_AT
        return Page(shown, encode_cursor([looked_at[-1], _LAST]) if more else None)

    async def _measured(self, statement: Select[UUID, UUID, float]) -> list[Pair]:
        return [Pair(*row) for row in await self._session.execute(statement)]

    async def _ids_from(self, institute_id: UUID, subject_id: UUID | None, first: UUID) -> Sequence[UUID]:
        statement = select(Question.id).where(
            Question.institute_id == institute_id, Question.id >= first, Question.status != "retired"
        )
        if subject_id is not None:
            statement = statement.where(Question.subject_id == subject_id)
        return (await self._session.scalars(statement.order_by(Question.id).limit(LOOKED_AT))).all()


def _pairs(institute_id: UUID, threshold: float) -> Select[UUID, UUID, float]:
    return (
        select(Question.id, _Other.id, _likeness)
        .join(_Said, and_(_Said.question_id == Question.id, _Said.number == Question.current_version))
        .join(_OtherSaid, _OtherSaid.sketch.overlap(_Said.sketch))
        .join(
            _Other,
            and_(_Other.id == _OtherSaid.question_id, _Other.current_version == _OtherSaid.number),
        )
        .where(
            Question.institute_id == institute_id,
            _Other.institute_id == institute_id,
            Question.id != _Other.id,
            Question.status != "retired",
            _Other.status != "retired",
            _likeness >= threshold,
        )
    )
