"""Which papers hold a question, for whoever looks for all places that a wrong key has reached."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ARRAY, Uuid, any_, bindparam, literal, select, text

from app.models import LocalizedText, Paper, PaperQuestion, Test
from app.repositories.base import Repository
from app.repositories.embargo import hides_test
from app.repositories.tests import Viewer

MAX_PAPERS = 50

# The rules of a paper are large. They are read once for each paper, not for each question.
PLACES = text(
    """
    select (listed ->> 'id')::uuid as question_id, papers.id as paper_id, papers.version, papers.test_id,
      tests.title, versions.number, exams.id as exam_id, exams.title as exam_title
    from ias.papers
    cross join lateral jsonb_array_elements(papers.rules -> 'questions') as listed
    join ias.tests on tests.id = papers.test_id
    join ias.question_versions as versions on versions.id = (listed ->> 'version_id')::uuid
    left join ias.exam_papers on exam_papers.paper_id = papers.id
    left join ias.exams on exams.id = exam_papers.exam_id
    where papers.id = any(:papers) and (listed ->> 'id')::uuid = any(:asked)
    order by papers.id desc, exams.id
    """
).bindparams(bindparam("papers", type_=ARRAY(Uuid)), bindparam("asked", type_=ARRAY(Uuid)))


@dataclass(frozen=True, slots=True)
class HoldingPaper:
    """A paper that holds a question, and the exam that it is placed in, if it is in one."""

    paper_id: UUID
    paper_version: int
    test_id: UUID
    test_title: LocalizedText
    question_version: int
    exam_id: UUID | None
    exam_title: LocalizedText | None


class HoldingPaperRepository(Repository):
    """Papers by their questions. Tests that the embargo hides from the reader are left out."""

    async def of(
        self, viewer: Viewer, question_ids: Collection[UUID]
    ) -> Mapping[UUID, Sequence[HoldingPaper]]:
        """The papers that hold each of the questions, the newest first; at most 50 papers in all."""
        asked = list(question_ids)
        papers = (
            select(Paper.id)
            .join(Test, Test.id == Paper.test_id)
            .where(
                Paper.id.in_(
                    select(PaperQuestion.paper_id).where(
                        PaperQuestion.question_id == any_(literal(asked, ARRAY(Uuid)))
                    )
                ),
                Test.institute_id == viewer.institute_id,
                ~hides_test(viewer.reader),
            )
            .order_by(Paper.id.desc())
            .limit(MAX_PAPERS)
        )
        shown = (await self._session.scalars(papers)).all()
        found: dict[UUID, list[HoldingPaper]] = {}
        for row in await self._session.execute(PLACES, {"papers": shown, "asked": asked}):
            place = HoldingPaper(
                row.paper_id, row.version, row.test_id, row.title, row.number, row.exam_id, row.exam_title
            )
            found.setdefault(row.question_id, []).append(place)
        return found
