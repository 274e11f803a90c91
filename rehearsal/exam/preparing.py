"""Before an exam: what is asked, who comes, and when it begins."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from uuid import UUID

from rehearsal.account import Account
from rehearsal.client import Client, Tally
from rehearsal.exam.candidates import Candidate
from rehearsal.exam.cast import cast
from rehearsal.exam.halls import PaperHall
from rehearsal.exam.options import ExamOptions
from rehearsal.exam.secrecy import Secrecy
from rehearsal.exam.server_time import ServerTime
from rehearsal.exam.staff import ExamAuthor
from rehearsal.exam.timetable import windows
from rehearsal.plans import Plan, plan
from rehearsal.questions import Question, compose

CUTOFFS = {"general": "90.00"}

_QUALIFYING_PERCENT = 33
_LEAD_SECONDS, _LEAD_PER_CANDIDATE = 2.5, 0.1
_MARGIN_SECONDS, _MARGIN_PER_CANDIDATE = 1.5, 0.02


@dataclass(frozen=True, slots=True)
class Written:
    """A published test, and what is asked in it."""

    questions: Sequence[Question]
    test_id: UUID
    question_ids: Sequence[UUID]


async def write_tests(author: ExamAuthor, options: ExamOptions) -> list[Written]:
    """A test for each paper."""
    written = []
    for place in range(options.papers):
        questions = compose(options.questions, options.seed + 1000 * place)
        test_id, ids = await author.publish(questions, options.seconds, f"-{place + 1}")
        written.append(Written(questions, test_id, ids))
    return written


def people(options: ExamOptions, label: str, tally: Tally, secrecy: Secrecy) -> list[Candidate]:
    """Everybody who will be in the exam; their accounts are still to be made."""
    found = []
    for part in cast(options.seed, options.candidates, options.papers):
        rng = Random(f"candidate {part.number} {options.seed}")  # noqa: S311 -- repeatable on purpose
        client = Client(options.api_url, tally, rng, secrecy.watch)
        email = f"rehearsal-{label}-{part.number}@example.org"
        found.append(Candidate(part, Account(email, f"Candidate {part.number}"), client, tally))
    return found


async def open_halls(
    author: ExamAuthor,
    options: ExamOptions,
    written: Sequence[Written],
    time: ServerTime,
    tally: Tally,
    secrecy: Secrecy,
    grace: float,
) -> list[PaperHall]:
    """The published exam. It begins when everybody has had time to register and to download.

    The last paper must also be passed: so there are candidates without a rank who have sat everything.
    """
    starts_at = time.now() + timedelta(seconds=lead(options))
    timetable = list(windows(starts_at, options.seconds, options.papers, grace))
    qualifying = [None] * (options.papers - 1) + [_QUALIFYING_PERCENT]
    tests = [each.test_id for each in written]
    paper_ids = await author.compose(tests, timetable, qualifying, CUTOFFS)
    return [
        PaperHall(
            options.api_url,
            author.label,
            options.seed + 1000 * place,
            each.test_id,
            each.question_ids,
            options.seconds,
            tally,
            secrecy.watch,
            exam_id=author.exam_id,
            paper_id=paper_id,
            place=place,
            code=timetable[place].code,
            questions=each.questions,
            qualifying_percent=qualifying[place],
            time=time,
            timetable=timetable,
        )
        for place, (each, paper_id) in enumerate(zip(written, paper_ids, strict=True))
    ]


def lead(options: ExamOptions) -> float:
    """How many seconds before its start an exam is published."""
    return _LEAD_SECONDS + _LEAD_PER_CANDIDATE * options.candidates


def margin(options: ExamOptions) -> float:
    """How many seconds before its start everybody is to be there."""
    return _MARGIN_SECONDS + _MARGIN_PER_CANDIDATE * options.candidates


def plans_of(candidate: Candidate, halls: Sequence[PaperHall], devices: int) -> list[Plan]:
    """What a candidate means to do in each paper."""
    return [plan(hall.seed, candidate.number, hall.questions, devices) for hall in halls]
