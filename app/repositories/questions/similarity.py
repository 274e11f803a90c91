"""Sketches of questions for finding similar ones, and the exact measure of similarity."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Uuid, bindparam, select, text
from sqlalchemy.dialects.postgresql import ARRAY

from app.models import Question, QuestionVersion
from app.repositories.base import Repository

# Rows are decoded on the event loop. Other requests are served between two batches.
_BATCH_SIZE = 2_000

# The subqueries fix the order of the joins. Without them the planner chooses a bad order if the table was
# just filled, because its statistics still say that the table is empty.
MEASURE = text(
    """
    select ias.likeness(
      (select ias.question_wording(version.text, version.options) from ias.question_versions as version
       where version.question_id = older.id and version.number = (
         select current_version from ias.questions where questions.id = older.id)),
      (select ias.question_wording(version.text, version.options) from ias.question_versions as version
       where version.question_id = later.id and version.number = (
         select current_version from ias.questions where questions.id = later.id)))
    from unnest(cast(:older as uuid[])) with ordinality as older (id, place)
      join unnest(cast(:later as uuid[])) with ordinality as later (id, place) using (place)
    order by place
    """
).bindparams(bindparam("older", type_=ARRAY(Uuid)), bindparam("later", type_=ARRAY(Uuid)))


@dataclass(frozen=True, slots=True)
class Sketch:
    """A question and the bands of its sketch. Similar questions have many bands in common."""

    question_id: UUID
    bands: Sequence[int]


class SimilarityRepository(Repository):
    """Sketches and similarity of the current versions of questions."""

    async def sketches(self, institute_id: UUID, subject_id: UUID | None) -> AsyncIterator[Sequence[Sketch]]:
        """The sketches of the institute's questions that are not retired, in batches, oldest question first.

        With a subject, only those of its questions.
        """
        statement = (
            select(Question.id, QuestionVersion.sketch)
            .join(Question.version)
            .where(Question.institute_id == institute_id, Question.status != "retired")
            .order_by(Question.id)
            .limit(_BATCH_SIZE)
        )
        if subject_id is not None:
            statement = statement.where(Question.subject_id == subject_id)
        last: UUID | None = None
        while True:
            after = statement if last is None else statement.where(Question.id > last)
            some = [Sketch(*row) for row in await self._session.execute(after)]
            if some:
                yield some
            if len(some) < _BATCH_SIZE:
                return
            last = some[-1].question_id

    async def measure(self, pairs: Sequence[tuple[UUID, UUID]]) -> Sequence[float]:
        """The similarity of each pair from 0 to 1: the share of common trigrams.

        The questions may be retired or belong to any institute.
        """
        older, later = [one for one, _ in pairs], [other for _, other in pairs]
        return (await self._session.scalars(MEASURE, {"older": older, "later": later})).all()
