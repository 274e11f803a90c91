"""The preparation of a rehearsed exam: tests, candidates, and the published exam."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from uuid import UUID

from rehearsal.account import Account
from rehearsal.client import Client, Metrics
from rehearsal.exam.candidates import SimulatedCandidate
from rehearsal.exam.options import ExamOptions
from rehearsal.exam.papers import RehearsedPaper
from rehearsal.exam.scenarios import make_scenarios
from rehearsal.exam.secret_scanner import SecretScanner
from rehearsal.exam.server_clock import ServerClock
from rehearsal.exam.staff import ExamAuthor
from rehearsal.exam.timetable import windows
from rehearsal.plans import Plan, make_plan
from rehearsal.questions import Question, generate_questions

CUTOFFS = {"general": "90.00"}

_QUALIFYING_PERCENT = 33
_LEAD_SECONDS, _LEAD_PER_CANDIDATE = 1.0, 0.05
_MIN_MARGIN, _MAX_MARGIN, _MARGIN_SHARE, _MARGIN_PER_CANDIDATE = 3.0, 15.0, 0.25, 0.02


@dataclass(frozen=True, slots=True)
class PublishedTest:
    """A published test and its questions."""

    questions: Sequence[Question]
    test_id: UUID
    question_ids: Sequence[UUID]


async def publish_tests(author: ExamAuthor, options: ExamOptions) -> list[PublishedTest]:
    """Publish one test for each paper."""
    written = []
    for index in range(options.papers):
        questions = generate_questions(options.questions, options.seed + 1000 * index)
        test_id, ids = await author.publish(questions, options.seconds, f"-{index + 1}")
        written.append(PublishedTest(questions, test_id, ids))
    return written


def make_candidates(
    options: ExamOptions, label: str, metrics: Metrics, scanner: SecretScanner
) -> list[SimulatedCandidate]:
    """All candidates of the exam, without accounts yet."""
    found = []
    for scenario in make_scenarios(options.seed, options.candidates, options.papers, bad_day=options.bad_day):
        rng = Random(f"candidate {scenario.number} {options.seed}")  # noqa: S311 -- repeatable on purpose
        client = Client(options.api_url, metrics, rng, scanner.scan)
        email = f"rehearsal-{label}-{scenario.number}@example.org"
        account = Account(email, f"Candidate {scenario.number}")
        found.append(SimulatedCandidate(scenario, account, client, metrics))
    return found


async def publish_exam(
    author: ExamAuthor,
    options: ExamOptions,
    tests: Sequence[PublishedTest],
    clock: ServerClock,
    metrics: Metrics,
    scanner: SecretScanner,
    grace: float,
) -> list[RehearsedPaper]:
    """Publish an exam that begins when all candidates have had time to register and to download.

    The last paper has qualifying marks, so that some candidates who took every paper have no rank.
    """
    starts_at = clock.now() + timedelta(seconds=lead_seconds(options))
    timetable = list(windows(starts_at, options.seconds, options.papers, grace))
    qualifying = [None] * (options.papers - 1) + [_QUALIFYING_PERCENT]
    paper_ids = await author.compose([each.test_id for each in tests], timetable, qualifying, CUTOFFS)
    return [
        RehearsedPaper(
            options.api_url,
            author.label,
            options.seed + 1000 * index,
            each.test_id,
            each.question_ids,
            options.seconds,
            metrics,
            scanner.scan,
            exam_id=author.exam_id,
            paper_id=paper_id,
            index=index,
            code=timetable[index].code,
            questions=each.questions,
            qualifying_percent=qualifying[index],
            clock=clock,
            timetable=timetable,
        )
        for index, (each, paper_id) in enumerate(zip(tests, paper_ids, strict=True))
    ]


def lead_seconds(options: ExamOptions) -> float:
    """The seconds from the publication of an exam to its start."""
    return margin_seconds(options) + _LEAD_SECONDS + _LEAD_PER_CANDIDATE * options.candidates


def margin_seconds(options: ExamOptions) -> float:
    """So many seconds before the start, all candidates must be ready; otherwise the exam is postponed."""
    least = min(_MAX_MARGIN, max(_MIN_MARGIN, _MARGIN_SHARE * options.seconds))
    return least + _MARGIN_PER_CANDIDATE * options.candidates


def plans_of(candidate: SimulatedCandidate, papers: Sequence[RehearsedPaper], devices: int) -> list[Plan]:
    """The candidate's plan for each paper."""
    return [make_plan(paper.seed, candidate.number, paper.questions, devices) for paper in papers]
