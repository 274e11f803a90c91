"""Statistics of tests for their staff: reading what refreshes have stored, and asking for a refresh."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from app.core.errors import NotFound
from app.engine.scoring import Dropped, Item
from app.models import Exam, ExamPaper, PaperStatistics
from app.repositories.analytics.holding_papers import HoldingPaper
from app.repositories.analytics.test_statistics import Counts
from app.sentences import Sentence
from app.services import audit, tests
from app.services.analytics import refreshing
from app.services.analytics.candidates import check_may_see
from app.services.analytics.refreshing import RequestedRefresh
from app.services.components import Components
from app.services.tests.papers import CompiledKey, FrozenPaper
from app.services.unit_of_work import Reading, UnitOfWork
from app.services.users import Principal

MIN_ANALYZED, MIN_CALIBRATED = 10, 30
"""As in `engine/statistics`, which imports numpy."""


@dataclass(frozen=True, slots=True)
class AnalyzedPaper:
    """The stored statistics of a cohort at a paper, and what they rest on."""

    row: PaperStatistics
    paper: FrozenPaper
    key: CompiledKey
    exam_paper: ExamPaper | None
    exam: Exam | None
    counts: Counts | None
    """What counts now; None if no result does."""

    @property
    def is_stale(self) -> bool:
        return refreshing.is_stale(self.row, self.counts)


@dataclass(frozen=True, slots=True)
class AnalyzedItems:
    """One analyzed paper with the papers that hold its flagged questions."""

    analyzed: AnalyzedPaper
    holding: Mapping[UUID, Sequence[HoldingPaper]]


async def summary(
    reads: Reading, parts: Components, staff: Principal, test_id: UUID
) -> Sequence[AnalyzedPaper]:
    """The statistics of a test by cohort and paper, the newest version first.

    Raises NotFound if the embargo hides the test, and Forbidden for authors who did not make it. A paper
    with a question that is withheld from the reader is left out.
    """
    await check_may_see(reads, staff, test_id)
    rows = await reads.test_statistics.of_test(tests.viewer(staff).reader, test_id)
    counts = await reads.test_statistics.counts(test_id) if rows else {}
    places = await reads.test_statistics.exam_papers([row.cohort_id for row in rows])
    found = []
    for row in rows:
        exam_paper, exam = places.get(row.cohort_id, (None, None))
        paper = await parts.papers.get(reads, row.paper_id)
        key = await parts.papers.key(reads, row.key_id)
        now = counts.get((row.cohort_id, row.paper_id))
        found.append(AnalyzedPaper(row, paper, key, exam_paper, exam, now))
    return sorted(found, key=lambda each: (-each.paper.version, -each.row.participants, each.row.cohort_id))


async def items(
    reads: Reading,
    parts: Components,
    staff: Principal,
    test_id: UUID,
    *,
    paper_version: int | None = None,
    exam_paper_id: UUID | None = None,
) -> AnalyzedItems | None:
    """The item analysis of one paper: by default of the newest version; None if there is none.

    Raises NotFound for a version or an exam paper without statistics. Reading right options under embargo
    is recorded in the audit log.
    """
    wanted = [
        analyzed
        for analyzed in await summary(reads, parts, staff, test_id)
        if paper_version in (None, analyzed.paper.version) and exam_paper_id in (None, analyzed.row.cohort_id)
    ]
    if not wanted:
        if paper_version is not None or exam_paper_id is not None:
            raise NotFound("paper")
        return None
    analyzed = wanted[0]
    question_ids = list(analyzed.paper.questions)
    held = await audit.held_among(reads, question_ids)
    audit.record_key_read(reads, staff, held, "item_analysis")
    flagged = {question_ids[flag["position"] - 1] for flag in analyzed.row.analysis["flags"]}
    return AnalyzedItems(analyzed, await reads.holding_papers.of(tests.viewer(staff), flagged))


async def request_refresh(
    uow: UnitOfWork, staff: Principal, test_id: UUID, now: datetime
) -> RequestedRefresh:
    """Ask for a refresh of a test. While one waits or runs, that one is returned."""
    await check_may_see(uow, staff, test_id)
    return await refreshing.request_refresh(uow, test_id, now, by=staff)


def right_options(item: Item, options: Sequence[str]) -> frozenset[str]:
    """The options that alone are a right answer."""
    if isinstance(item.key, Dropped):
        return frozenset()
    return frozenset(option for option in options if item.key.compare((option,)).is_right)


def entries(analysis: Mapping[str, Any], name: str, count: int) -> Sequence[Any]:
    """A list by question from an analysis; as many None if there was too little for it."""
    found = analysis.get(name)
    return [None] * count if found is None else found


def never_computed() -> Sentence:
    """Why there is no analysis at all."""
    return Sentence("The results of this test have not been analyzed yet, or it has none.")


def missing_items(attempts: int) -> Sentence:
    """Why there are no figures of questions."""
    return Sentence(
        "An item analysis needs at least {needed} attempts; there are {attempts}.",
        needed=MIN_ANALYZED,
        attempts=attempts,
    )


def missing_answers(answers: int) -> Sentence:
    """Why there are no figures of a question that candidates may choose."""
    return Sentence(
        "These figures need at least {needed} candidates with an answer that counts; there are {answers}.",
        needed=MIN_ANALYZED,
        answers=answers,
    )


def missing_alpha() -> Sentence:
    """Why there is no alpha where candidates choose."""
    return Sentence(
        "Alpha and the standard error need the same questions for all candidates. Here candidates choose"
        " which ones they answer."
    )


def missing_calibration(attempts: int) -> Sentence:
    """Why there are no parameters of item response theory."""
    return Sentence(
        "A calibration needs at least {needed} attempts whose answers differ; there are {attempts}.",
        needed=MIN_CALIBRATED,
        attempts=attempts,
    )
