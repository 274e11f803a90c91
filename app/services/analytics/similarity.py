"""Similar answer sheets, for the staff of a test (docs/decisions/0070). A flag is never a punishment."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from app.core.errors import Invalid, NotFound
from app.models import ExamPaper
from app.repositories.analytics.answer_sheets import PersonOfAttempt, SheetsInBulk
from app.repositories.analytics.matrices import Group
from app.sentences import Sentence
from app.services import audit, embargo
from app.services.analytics.candidates import check_may_see
from app.services.components import Components
from app.services.tests.papers import FrozenPaper
from app.services.unit_of_work import Reading
from app.services.users import Principal

if TYPE_CHECKING:
    from app.services.analytics.similarity_search import Evidence, PairKind

MIN_QUESTIONS = 80
MIN_PARTICIPANTS = 100
"""The shares of answers are estimated from the candidates themselves; from fewer they would say little."""
MAX_PARTICIPANTS = 100_000
MAX_PAIRS = 15_000_000
MAX_SHOWN_PAIRS = 100

_ADVICE = Sentence("Compare fewer pairs: `pairs=device`, `pairs=minute`, `pairs=neighbors` or `attempt_id`.")
CAUTION = Sentence(
    "A flag is a reason to look, and proves nothing: candidates who learned from the same book or teacher"
    " agree too. Compare the response sheets, the seats and the times, and hear both candidates."
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which pairs of which paper to compare."""

    pairs: "PairKind" = "all"
    attempt_ids: Sequence[UUID] = ()
    false_flags: float = 0.05
    paper_version: int | None = None
    exam_paper_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Material:
    """What is to be compared, or the reason why nothing is."""

    test_id: UUID
    wanted: Wanted
    group: Group | None = None
    paper: FrozenPaper | None = None
    exam_paper: ExamPaper | None = None
    reason: Sentence | None = None
    sheets: SheetsInBulk | None = None


@dataclass(frozen=True, slots=True)
class Comparison:
    """What was compared and what was found. `reason` says why nothing was compared."""

    material: Material
    pairs: int = 0
    threshold: float | None = None
    flagged: int = 0
    evidence: Sequence["Evidence"] = ()
    reason: Sentence | None = None


@dataclass(frozen=True, slots=True)
class NamedComparison:
    """A comparison with the candidates of its flagged pairs, by attempt."""

    comparison: Comparison
    people: Mapping[UUID, PersonOfAttempt]


async def material(
    reads: Reading, parts: Components, staff: Principal, test_id: UUID, wanted: Wanted
) -> Material:
    """Load the answer sheets that are to be compared.

    Raises NotFound if the embargo hides the test, for a paper that nobody has taken, and for an attempt that
    does not count; Forbidden for authors who did not make the test; Invalid if there are too many pairs.
    """
    await check_may_see(reads, staff, test_id)
    found = await _group(reads, parts, staff, test_id, wanted)
    if found is None:
        return Material(test_id, wanted, reason=_too_few(0))
    group, paper = found
    places = await reads.test_statistics.exam_papers([group.cohort_id])
    exam_paper = places[group.cohort_id][0] if group.cohort_id in places else None
    reason = _useless(len(paper.questions), group.results)
    if reason is not None:
        return Material(test_id, wanted, group, paper, exam_paper, reason)
    if wanted.pairs == "all" and not wanted.attempt_ids:
        _check_bound(group.results * (group.results - 1) // 2)
    if group.results > MAX_PARTICIPANTS:
        template = "{participants} answer sheets are too many to compare; at most {most} can be."
        message = Sentence(template, participants=group.results, most=MAX_PARTICIPANTS)
        raise Invalid.field("pairs", message)
    key = await parts.papers.key(reads, group.key_id)
    sheets = await reads.answer_sheets_in_bulk.load(group, key.rules, MAX_PARTICIPANTS)
    if not set(wanted.attempt_ids) <= set(sheets.attempt_ids):
        raise NotFound("attempt")
    return Material(test_id, wanted, group, paper, exam_paper, None, sheets)


async def compare(parts: Components, staff: Principal, loaded: Material) -> Comparison:
    """Compare in a child process. Raises Invalid for too many pairs, TooComplex, Unavailable."""
    from app.services.analytics.similarity_search import Search, search  # noqa: PLC0415 -- numpy

    sheets, wanted = loaded.sheets, loaded.wanted
    if sheets is None or loaded.paper is None:
        return Comparison(loaded, reason=loaded.reason)
    row_of = {attempt_id: row for row, attempt_id in enumerate(sheets.attempt_ids)}
    arguments = Search(
        questions=len(loaded.paper.questions),
        answers=sheets.answers,
        outcomes=sheets.outcomes,
        devices=sheets.devices,
        submitted_at=sheets.submitted_at,
        roll_numbers=sheets.roll_numbers,
        kind=wanted.pairs,
        rows=[row_of[each] for each in dict.fromkeys(wanted.attempt_ids)] or None,
        false_flags=wanted.false_flags,
        most_pairs=MAX_PAIRS,
        most_shown=MAX_SHOWN_PAIRS,
    )
    found = await parts.files.run(search, arguments, caller=staff.id, advice=_ADVICE)
    _check_bound(found.pairs)
    reason = (
        None
        if found.pairs
        else Sentence("There is no such pair: nothing is known that it could be found by.")
    )
    return Comparison(loaded, found.pairs, found.threshold, found.flagged, found.evidence, reason)


async def named(reads: Reading, staff: Principal, comparison: Comparison) -> NamedComparison:
    """Name the candidates of the flagged pairs, and record in the audit log that they were shown."""
    loaded = comparison.material
    people: Mapping[UUID, PersonOfAttempt] = {}
    if loaded.sheets is not None:
        ids = loaded.sheets.attempt_ids
        people = await reads.answer_sheets_in_bulk.people(
            {ids[row] for each in comparison.evidence for row in (each.first, each.second)}
        )
    audit.record(
        reads,
        staff,
        "read_similarity",
        audit.AuditSubject("test", loaded.test_id),
        kind=loaded.wanted.pairs,
        compared=comparison.pairs,
        flagged=comparison.flagged,
    )
    return NamedComparison(comparison, people)


async def _group(
    reads: Reading, parts: Components, staff: Principal, test_id: UUID, wanted: Wanted
) -> tuple[Group, FrozenPaper] | None:
    """The results to compare: by default of the newest version; None if nobody has any."""
    named_one = wanted.paper_version is not None or wanted.exam_paper_id is not None
    found = []
    for group in await reads.test_statistics.groups(test_id):
        paper = await parts.papers.get(reads, group.paper_id)
        if wanted.paper_version in (None, paper.version) and wanted.exam_paper_id in (None, group.cohort_id):
            found.append((group, paper))
    for group, paper in sorted(
        found, key=lambda each: (-each[1].version, -each[0].results, each[0].cohort_id)
    ):
        if not await embargo.withheld(reads, staff, list(paper.questions)):
            return group, paper
    if named_one:
        raise NotFound("paper")
    return None


def _useless(questions: int, participants: int) -> Sentence | None:
    if questions < MIN_QUESTIONS:
        return Sentence(
            "The comparison finds hardly anything in papers of fewer than {needed} questions; this one has"
            " {questions}.",
            needed=MIN_QUESTIONS,
            questions=questions,
        )
    return _too_few(participants) if participants < MIN_PARTICIPANTS else None


def _too_few(participants: int) -> Sentence:
    template = "The comparison needs at least {needed} candidates; there are {participants}."
    return Sentence(template, needed=MIN_PARTICIPANTS, participants=participants)


def _check_bound(pairs: int) -> None:
    if pairs > MAX_PAIRS:
        template = "These are {pairs} pairs; at most {most} can be compared. {advice}"
        raise Invalid.field("pairs", Sentence(template, pairs=pairs, most=MAX_PAIRS, advice=_ADVICE))
