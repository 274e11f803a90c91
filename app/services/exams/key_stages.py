"""The stages between an exam's end and its release, in which candidates see keys (docs/decisions/0076)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from app.core.errors import NotPossible
from app.core.objection_errors import ObjectionsOpen
from app.core.release_errors import PapersNotOver
from app.engine.objections import ObjectionRules, ObjectionWindow, exam_window
from app.engine.schedule import is_over
from app.models import Exam, ExamPaper
from app.services import embargo
from app.services.components import Components
from app.services.exams.audit import record
from app.services.exams.catalog import require_team, window_of
from app.services.exams.events import store_announcement
from app.services.exams.key_announcements import key_announcement
from app.services.exams.release_preview import may_know_keys
from app.services.exams.releasing import close_entry
from app.services.unit_of_work import UnitOfWork
from app.services.users import Principal


class KeyStage(StrEnum):
    """A stage in which candidates see keys, and nobody sees a score."""

    PROVISIONAL = "provisional_key"
    FINAL = "final_key"


@dataclass(frozen=True, slots=True)
class ShownKey:
    """The key of one paper that a stage shows.

    `dropped` and `changed` are numbers of questions: dropped ones, and those whose final key differs from the
    provisional one. They are None for who may not know the key before candidates do.
    """

    paper_id: UUID
    code: str
    version: int
    questions: int
    dropped: Sequence[int] | None
    changed: Sequence[int] | None


@dataclass(frozen=True, slots=True)
class KeyStageView:
    """What a stage shows, and to how many candidates. `undecided` counts claimed keys without a decision."""

    exam_id: UUID
    stage: KeyStage
    keys: Sequence[ShownKey]
    candidates: int
    objections: ObjectionWindow | None
    undecided: int


def objection_rules(exam: Exam) -> ObjectionRules | None:
    """The setting of an exam for objections; None if it takes none."""
    return ObjectionRules.of(exam.objections) if exam.objections is not None else None


def objection_window(exam: Exam) -> ObjectionWindow | None:
    """The window for objections of an exam; None if it takes none."""
    rules = objection_rules(exam)
    return exam_window(rules) if rules is not None else None


async def show_key(
    uow: UnitOfWork, parts: Components, staff: Principal, exam_id: UUID, stage: KeyStage, now: datetime
) -> KeyStageView:
    """Show the keys to the candidates of an exam, as they are now. Again changes nothing.

    The versions are pinned: a later revision is shown with the next stage or the release. Raises
    PapersNotOver, AttemptsInProgress, ObjectionsOpen or NotPossible.
    """
    exam = await uow.exams.lock(staff.institute_id, exam_id)
    require_team(exam, staff)
    may_know = await may_know_keys(uow, staff, exam.id)
    if exam.key_stage != stage or exam.published_at is None:
        await _begin(uow, parts, staff, exam, stage, now)
    return await _view(uow, parts, exam, stage, may_know=may_know)


async def preview_key(
    uow: UnitOfWork, parts: Components, staff: Principal, exam_id: UUID, stage: KeyStage, now: datetime
) -> KeyStageView:
    """What `show_key` would show. Nothing is changed. Raises what `show_key` raises."""
    async with uow.dry_run():
        return await show_key(uow, parts, staff, exam_id, stage, now)


async def _begin(
    uow: UnitOfWork, parts: Components, staff: Principal, exam: Exam, stage: KeyStage, now: datetime
) -> None:
    await _check(uow, staff, exam, stage, now)
    await close_entry(uow, parts, exam, now, early=False)
    papers = await uow.exams.papers(exam.id)
    current = await uow.keys.lock_current([paper.paper_id for paper in papers if paper.paper_id])
    for paper in papers:
        key_id = current[paper.paper_id] if paper.paper_id else None
        if stage is KeyStage.PROVISIONAL:
            paper.provisional_key_id = key_id
        else:
            paper.final_key_id = key_id
    exam.key_stage = stage
    shown = {paper.code: str(paper.final_key_id or paper.provisional_key_id) for paper in papers}
    record(uow, staff, f"show_{stage}", exam, keys=shown)
    await tell(uow, staff, exam, now)
    await uow.exams.flush()


async def _check(uow: UnitOfWork, staff: Principal, exam: Exam, stage: KeyStage, now: datetime) -> None:
    if exam.published_at is None or exam.cancelled_at is not None:
        raise NotPossible("Only an exam that was held can show its keys.")
    if exam.released_at is not None:
        raise NotPossible("The results are released. Keys are shown with them.")
    if exam.key_stage == KeyStage.FINAL:
        raise NotPossible("The final key is published. The exam does not go back to the provisional one.")
    if await uow.embargo.withholds_exam(embargo.reader(staff), exam.id):
        raise NotPossible(
            "Another exam that is not released has questions of this one, and this would show their keys."
            " Wait for its release, or ask an admin."
        )
    window = objection_window(exam)
    if stage is KeyStage.FINAL and exam.key_stage and window is not None and not window.is_over(now):
        raise ObjectionsOpen(window.closes_at)
    papers = await uow.exams.papers(exam.id)
    if still_open := [paper for paper in papers if not is_over(window_of(paper), now)]:
        ends = [(paper.id, paper.code, paper.ends_at) for paper in still_open]
        raise PapersNotOver(ends, of_release=False)


async def tell(uow: UnitOfWork, staff: Principal, exam: Exam, now: datetime) -> None:
    """Announce the stage of the keys in the exam's room, and notify everybody who is registered."""
    await store_announcement(uow, staff, exam, key_announcement(exam.key_stage, objection_window(exam)), now)
    uow.jobs.add("notify_key_shown", exam_id=str(exam.id), stage=str(exam.key_stage))


async def _view(
    uow: UnitOfWork, parts: Components, exam: Exam, stage: KeyStage, *, may_know: bool
) -> KeyStageView:
    papers = await uow.exams.papers(exam.id)
    return KeyStageView(
        exam_id=exam.id,
        stage=stage,
        keys=[await _shown(uow, parts, paper, stage, may_know=may_know) for paper in papers],
        candidates=await uow.exam_attempts.count_candidates(exam.id),
        objections=objection_window(exam),
        undecided=await uow.objections.count_undecided([paper.test_id for paper in papers]),
    )


async def _shown(
    uow: UnitOfWork, parts: Components, paper: ExamPaper, stage: KeyStage, *, may_know: bool
) -> ShownKey:
    key_id = paper.provisional_key_id if stage is KeyStage.PROVISIONAL else paper.final_key_id
    assert key_id is not None  # noqa: S101 -- the stage has pinned it
    shown = await parts.papers.key(uow, key_id)
    dropped = [number for number, item in enumerate(shown.rules.items, 1) if item.is_dropped]
    changed: list[int] = []
    if stage is KeyStage.FINAL and paper.provisional_key_id is not None:
        before = (await parts.papers.key(uow, paper.provisional_key_id)).rules.items
        changed = [
            number
            for number, (old, new) in enumerate(zip(before, shown.rules.items, strict=True), 1)
            if old.key != new.key
        ]
    return ShownKey(
        paper_id=paper.id,
        code=paper.code,
        version=shown.number,
        questions=len(shown.rules.items),
        dropped=dropped if may_know else None,
        changed=changed if may_know else None,
    )
