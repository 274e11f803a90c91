"""Creating, changing and publishing an exam. Publication pins the paper versions that are served."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from app.core.changes import UNCHANGED, Unchanged, changed, changed_fields
from app.core.errors import (
    Conflict,
    FieldError,
    Forbidden,
    Invalid,
    NotFound,
    NotPossible,
    NotPublishable,
)
from app.core.ids import uuid7
from app.engine import schedule
from app.models import Exam, ExamPaper, LocalizedText
from app.sentences import Sentence
from app.services import embargo
from app.services.exams import placement_permission, ranking_rules, sessions
from app.services.exams.audit import record
from app.services.exams.catalog import exam_viewer, require_team, window_of
from app.services.exams.key_stages import KeyStage, tell
from app.services.unit_of_work import Reading, UnitOfWork
from app.services.users import Principal

AFTER_RELEASE = frozenset({"certificates"})
"""Nothing that is computed at the release depends on these."""
UNTIL_RELEASE = frozenset(
    {
        "title",
        "description",
        "cutoffs",
        "tie_breaks",
        "percentile_definition",
        "normalization",
        "registration",
        "objections",
    }
)
ALWAYS_CHANGEABLE = UNTIL_RELEASE | AFTER_RELEASE


@dataclass(frozen=True, slots=True)
class ExamDraft:
    """An exam as its author writes it."""

    title: LocalizedText
    opens_at: datetime
    closes_at: datetime
    description: LocalizedText | None = None
    registration: str = "required"
    cutoffs: dict[str, str] = field(default_factory=dict)
    tie_breaks: str | list[dict[str, str]] = "none"
    percentile_definition: str = "at_or_below"
    normalization: str = "none"
    objections: dict[str, Any] | None = None
    """`engine.objections.ObjectionRules`, stored."""
    certificates: str = "none"
    reference: str | None = None


@dataclass(frozen=True, slots=True)
class ExamPaperDraft:
    """A paper of an exam as its author writes it."""

    code: str
    title: LocalizedText
    test_id: UUID
    starts_at: datetime
    entry_closes_at: datetime
    ends_at: datetime
    qualifying_percent: Decimal | None = None
    group_percents: dict[str, str] = field(default_factory=dict)
    section_percents: dict[str, dict[str, str]] = field(default_factory=dict)
    counts_for_merit: bool = True
    session_group: str | None = None


@dataclass(frozen=True, slots=True)
class ExamUpdate:
    """What may change in an exam."""

    title: LocalizedText | Unchanged = UNCHANGED
    description: LocalizedText | Unchanged | None = UNCHANGED
    opens_at: datetime | Unchanged = UNCHANGED
    closes_at: datetime | Unchanged = UNCHANGED
    registration: str | Unchanged = UNCHANGED
    cutoffs: dict[str, str] | Unchanged = UNCHANGED
    tie_breaks: str | list[dict[str, str]] | Unchanged = UNCHANGED
    percentile_definition: str | Unchanged = UNCHANGED
    normalization: str | Unchanged = UNCHANGED
    objections: dict[str, Any] | Unchanged | None = UNCHANGED
    certificates: str | Unchanged = UNCHANGED


@dataclass(frozen=True, slots=True)
class ExamPaperUpdate:
    """What may change in a paper of an exam that is not published."""

    code: str | Unchanged = UNCHANGED
    title: LocalizedText | Unchanged = UNCHANGED
    starts_at: datetime | Unchanged = UNCHANGED
    entry_closes_at: datetime | Unchanged = UNCHANGED
    ends_at: datetime | Unchanged = UNCHANGED
    qualifying_percent: Decimal | Unchanged | None = UNCHANGED
    group_percents: dict[str, str] | Unchanged = UNCHANGED
    section_percents: dict[str, dict[str, str]] | Unchanged = UNCHANGED
    counts_for_merit: bool | Unchanged = UNCHANGED
    session_group: str | Unchanged | None = UNCHANGED


@dataclass(frozen=True, slots=True)
class StandingVersions:
    """Why a publication has changed nothing, and the papers whose tests have a newer version."""

    detail: str
    outdated: Sequence[str]


@dataclass(frozen=True, slots=True)
class PublishedExam:
    """A published exam. `unchanged` is None if the current versions of its tests were pinned."""

    exam: Exam
    unchanged: StandingVersions | None


async def create(uow: UnitOfWork, author: Principal, draft: ExamDraft) -> Exam:
    """Create an exam. Candidates see it after its publication."""
    exam = Exam(
        id=uuid7(),
        institute_id=author.institute_id,
        title=draft.title,
        description=draft.description,
        opens_at=draft.opens_at,
        closes_at=draft.closes_at,
        registration=draft.registration,
        cutoffs=draft.cutoffs,
        tie_breaks=draft.tie_breaks,
        percentile_definition=draft.percentile_definition,
        normalization=draft.normalization,
        objections=draft.objections,
        certificates=draft.certificates,
        reference=draft.reference,
        created_by=author.author_id,
    )
    _check_times(exam)
    await uow.exams.add(exam)
    record(uow, author, "create", exam)
    return exam


async def change(
    uow: UnitOfWork, author: Principal, exam_id: UUID, update: ExamUpdate, now: datetime
) -> Exam:
    """Change an exam. After its publication its times can only be postponed."""
    exam = await _locked(uow, author, exam_id)
    if update.registration is not UNCHANGED or update.objections is not UNCHANGED:
        await uow.exams.lock_papers_exclusively(exam.id)  # Starts and objections depend on them.
    names = changed_fields(update)
    is_fixed = exam.released_at is not None and not AFTER_RELEASE.issuperset(names)
    if is_fixed or exam.cancelled_at is not None:
        raise NotPossible("The exam is over; it changes no more.")
    if exam.published_at is not None and (fixed := set(names) - ALWAYS_CHANGEABLE):
        template = "The exam is published. These cannot change: {fields}. Postpone the exam."
        raise NotPossible(Sentence(template, fields=", ".join(sorted(fixed))))
    exam.title = changed(update.title, exam.title)
    exam.description = changed(update.description, exam.description)
    exam.opens_at = changed(update.opens_at, exam.opens_at)
    exam.closes_at = changed(update.closes_at, exam.closes_at)
    exam.registration = changed(update.registration, exam.registration)
    exam.cutoffs = changed(update.cutoffs, exam.cutoffs)
    exam.tie_breaks = changed(update.tie_breaks, exam.tie_breaks)
    exam.percentile_definition = changed(update.percentile_definition, exam.percentile_definition)
    if exam.published_at is not None and update.tie_breaks is not UNCHANGED:
        await ranking_rules.check(uow, exam, await uow.exams.papers(exam.id))
    exam.normalization = changed(update.normalization, exam.normalization)
    exam.certificates = changed(update.certificates, exam.certificates)
    _check_times(exam)
    if exam.published_at is not None and update.normalization is not UNCHANGED:
        sessions.check_method(exam, await uow.exams.papers(exam.id))
    record(uow, author, "change", exam, fields=names)
    await _change_objections(uow, author, exam, update, now)
    await uow.exams.flush()
    return exam


async def _change_objections(
    uow: UnitOfWork, author: Principal, exam: Exam, update: ExamUpdate, now: datetime
) -> None:
    """Change the window for objections until the final key. Candidates who see the key are told."""
    wanted = changed(update.objections, exam.objections)
    if wanted == exam.objections:
        return
    if exam.key_stage == KeyStage.FINAL:
        raise NotPossible("The final key is published. It takes no objections.")
    exam.objections = wanted
    if exam.key_stage == KeyStage.PROVISIONAL:
        await tell(uow, author, exam, now)


async def add_paper(uow: UnitOfWork, author: Principal, exam_id: UUID, draft: ExamPaperDraft) -> ExamPaper:
    """Place a test in an exam. From now on candidates do not see the test elsewhere.

    Raises Conflict if candidates have attempted the test, or if the exam has the test or the code already;
    Forbidden if the owner of the test, or of an exam that holds its questions, has not consented.
    """
    exam = await _draft(uow, author, exam_id)
    await _check_test(uow, author, draft.test_id)
    if refusal := await placement_permission.refusal(uow, author, exam, draft.test_id):
        raise Forbidden(refusal)
    for other in await uow.exams.papers(exam.id):
        if draft.code == other.code:
            raise Conflict(_code_taken(draft.code))
        if draft.test_id == other.test_id:
            template = "The test is paper {code} of this exam already."
            raise Conflict(Sentence(template, code=other.code))
    paper = ExamPaper(
        id=uuid7(),
        exam_id=exam.id,
        test_id=draft.test_id,
        code=draft.code,
        title=draft.title,
        starts_at=draft.starts_at,
        entry_closes_at=draft.entry_closes_at,
        ends_at=draft.ends_at,
        qualifying_percent=draft.qualifying_percent,
        group_percents=draft.group_percents,
        section_percents=draft.section_percents,
        counts_for_merit=draft.counts_for_merit,
        session_group=draft.session_group,
    )
    _check_window(paper)
    await uow.exams.add(paper)
    record(uow, author, "add_paper", exam, paper=paper.code, test_id=str(paper.test_id))
    return paper


async def change_paper(
    uow: UnitOfWork, author: Principal, exam_id: UUID, paper_id: UUID, update: ExamPaperUpdate
) -> ExamPaper:
    """Change a paper of an exam that is not published."""
    exam = await _draft(uow, author, exam_id)
    _, paper = await uow.exams.paper(exam_viewer(author), exam.id, paper_id)
    code = changed(update.code, paper.code)
    if any(other.code == code and other.id != paper.id for other in await uow.exams.papers(exam.id)):
        raise Conflict(_code_taken(code))
    paper.code = code
    paper.title = changed(update.title, paper.title)
    paper.starts_at = changed(update.starts_at, paper.starts_at)
    paper.entry_closes_at = changed(update.entry_closes_at, paper.entry_closes_at)
    paper.ends_at = changed(update.ends_at, paper.ends_at)
    paper.qualifying_percent = changed(update.qualifying_percent, paper.qualifying_percent)
    paper.group_percents = changed(update.group_percents, paper.group_percents)
    paper.section_percents = changed(update.section_percents, paper.section_percents)
    paper.counts_for_merit = changed(update.counts_for_merit, paper.counts_for_merit)
    paper.session_group = changed(update.session_group, paper.session_group)
    _check_window(paper)
    record(uow, author, "change_paper", exam, paper=paper.code, fields=changed_fields(update))
    await uow.exams.flush()
    return paper


async def remove_paper(uow: UnitOfWork, author: Principal, exam_id: UUID, paper_id: UUID) -> None:
    """Remove a paper from an exam that is not published. Its test can be placed elsewhere again."""
    exam = await _draft(uow, author, exam_id)
    _, paper = await uow.exams.paper(exam_viewer(author), exam.id, paper_id)
    await uow.exams.remove_paper(paper)
    record(uow, author, "remove_paper", exam, paper=paper.code, test_id=str(paper.test_id))


async def publish(uow: UnitOfWork, author: Principal, exam_id: UUID, now: datetime) -> PublishedExam:
    """Show the exam to candidates, and pin the current paper version of each test (docs/decisions/0013).

    Publishing again pins anew, as long as nobody has started and the results are not released; then it
    changes nothing, and the answer says so. Raises NotPublishable with all that is wrong.
    """
    exam = await _locked(uow, author, exam_id)
    if exam.cancelled_at is not None:
        raise NotPossible("The exam was cancelled.")
    await uow.placing.lock_placements(exam.institute_id)
    papers = await uow.exams.lock_papers_exclusively(exam.id)
    if reason := await _why_versions_stand(uow, exam, papers):
        return PublishedExam(exam, StandingVersions(reason, await outdated(uow, author, papers)))
    # The lock keeps the version that is checked below until it is pinned.
    await uow.exams.lock_tests_shared(paper.test_id for paper in papers)
    pinned, errors = [], _obstacles(exam, papers, now)
    for number, paper in enumerate(papers):
        version = await _current_version(uow, author, paper)
        if version is None:
            sentence = Sentence(
                "The test of paper {code} is not published. Publish it first.", code=paper.code
            )
            errors.append(FieldError(f"papers.{number}.test_id", sentence))
        elif refusal := await placement_permission.refusal(uow, author, exam, paper.test_id):
            errors.append(FieldError(f"papers.{number}.test_id", refusal))
        pinned.append(version)
    errors += await ranking_rules.obstacles(uow, exam, papers, pinned)
    errors += await sessions.obstacles(uow, exam, papers, pinned)
    if errors:
        raise NotPublishable("The exam cannot be published yet.", errors=errors)
    for paper, version in zip(papers, pinned, strict=True):
        paper.paper_id = version
    exam.published_at = exam.published_at or now
    record(uow, author, "publish", exam, papers={paper.code: str(paper.paper_id) for paper in papers})
    await uow.exams.flush()
    return PublishedExam(exam, None)


async def _why_versions_stand(uow: UnitOfWork, exam: Exam, papers: Sequence[ExamPaper]) -> str | None:
    """Why the paper versions of the exam cannot change any more; None if they can."""
    if exam.released_at is not None:
        return "The results are released: the exam keeps the versions of its papers."
    if exam.published_at is not None and await uow.exams.was_started([paper.id for paper in papers]):
        return "Candidates have started: the exam keeps the versions of its papers."
    return None


async def _current_version(reads: Reading, author: Principal, paper: ExamPaper) -> UUID | None:
    """The id of the latest published version of the paper's test; None if the test is not published."""
    test = await reads.exams.test(author.institute_id, paper.test_id)
    if test is None or test.status != "published":
        return None
    return await reads.tests.current_paper_id(test)


async def outdated(reads: Reading, author: Principal, papers: Sequence[ExamPaper]) -> list[str]:
    """The codes of the papers whose test has a newer version than the one that candidates get."""
    current = {paper.code: (paper.paper_id, await _current_version(reads, author, paper)) for paper in papers}
    return [code for code, (pinned, latest) in current.items() if latest not in (None, pinned)]


def _obstacles(exam: Exam, papers: Sequence[ExamPaper], now: datetime) -> list[FieldError]:
    errors = [] if papers else [FieldError("papers", "An exam needs at least one paper.")]
    for number, paper in enumerate(papers):
        found = schedule.out_of_exam(window_of(paper), exam.opens_at, exam.closes_at)
        errors += [FieldError(f"papers.{number}.{name}", sentence) for name, sentence in found]
        if paper.ends_at <= now:
            errors.append(
                FieldError(f"papers.{number}.ends_at", "This time has passed. Send a time in the future.")
            )
    return errors


async def _locked(uow: UnitOfWork, author: Principal, exam_id: UUID) -> Exam:
    exam = await uow.exams.lock(author.institute_id, exam_id)
    require_team(exam, author)
    return exam


async def _draft(uow: UnitOfWork, author: Principal, exam_id: UUID) -> Exam:
    exam = await _locked(uow, author, exam_id)
    if exam.published_at is not None or exam.cancelled_at is not None:
        raise NotPossible("The exam is published; its papers stand.")
    return exam


async def _check_test(uow: UnitOfWork, author: Principal, test_id: UUID) -> None:
    """Lock the test and check that it can be placed. A start that runs now is seen here or sees the exam."""
    try:
        await uow.tests.draft(author.institute_id, test_id, lock=True)
        if not await placement_permission.may_place(uow, author, test_id):
            await embargo.check_visible(uow, author, test_id)
    except NotFound:
        raise Invalid.field("test_id", "There is no such test.") from None
    if await uow.exams.was_attempted(test_id):
        raise Conflict("Candidates have sat this test already; an exam needs a new one. Clone it.")


def _check_times(exam: Exam) -> None:
    if exam.closes_at <= exam.opens_at:
        raise Invalid.field("closes_at", "Send a time after opens_at.")


def _check_window(paper: ExamPaper) -> None:
    if found := schedule.disorder(window_of(paper)):
        errors = [FieldError(name, sentence) for name, sentence in found]
        raise Invalid("The paper's times do not fit.", errors=errors)


def _code_taken(code: str) -> str:
    return Sentence("The exam has a paper {code} already. Choose another code.", code=code)
