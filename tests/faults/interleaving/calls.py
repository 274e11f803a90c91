"""The calls themselves: the product's services, each on one side, and a summary of what each returned."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.core.attempt_scope import AttemptRef, AttemptScope
from app.core.errors import DomainError
from app.engine.steering import Exemption
from app.services import attempts, exams
from app.services.attempts import LateSave, Response, SaveTarget
from app.services.components import Components
from app.services.exams import ClosePaper, Grant, StaffAction, StartPaper, Steered, Target, Verb
from app.services.unit_of_work import UnitOfWork, unit_of_work
from app.workers import tasks
from app.workers.runtime import TaskContext
from tests.builders.saves import save_uncommitted
from tests.faults.interleaving.building import Scene
from tests.faults.interleaving.cases import GRACE, Call

VERBS = {"end": Verb.SUBMIT, "admit-late": Verb.ADMIT_LATE} | {
    name: Verb(name) for name in ("pause", "resume", "extend", "void", "reopen")
}
UNFINISHED = text(
    "select id, task, arguments from ias.jobs where id >= :first and finished_at is null order by id"
)


@dataclass
class Outcome:
    """What became of a call: a `value`, `refused` by a domain error, or `failed` by anything else."""

    kind: str
    summary: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Using:
    """One call at work: its transaction, the parts, and the case that it belongs to."""

    uow: UnitOfWork
    parts: Components
    scene: Scene
    call: Call

    @property
    def attempt_id(self) -> UUID:
        """The attempt of the call's person; one that does not exist if there is none."""
        return self.scene.attempts.get(self.call.person, UUID(int=1))

    @property
    def attempt(self) -> AttemptRef:
        """The same attempt as a request names it."""
        person = self.scene.world.people[self.call.person]
        scope = AttemptScope(self.scene.contents[0].test_id, self.scene.paper_ids[0])
        return AttemptRef(self.attempt_id, person.id, scope)


async def perform(engine: AsyncEngine, parts: Components, scene: Scene, call: Call) -> Outcome:
    """Do a call in a transaction of its own, as a request does, and say what came out."""
    try:
        async with unit_of_work(engine) as uow:
            summary = await DO[call.name](Using(uow, replace(parts, engine=engine), scene, call))
        if call.name == "start":
            scene.attempts.setdefault(call.person, UUID(summary["attempt"]))
        return Outcome("refused" if "recorded" in summary else "value", summary)
    except DomainError as error:
        return Outcome("refused", {"error": type(error).__name__, "detail": error.detail})
    except Exception as error:  # noqa: BLE001 -- whatever a client would see as a 500 is a finding
        return Outcome("failed", {"error": f"{type(error).__name__}: {error}"[:500]})


async def work(engine: AsyncEngine, parts: Components, scene: Scene) -> list[str]:
    """Do the jobs that wait, as a worker does; the errors of those that failed."""
    errors: list[str] = []
    async with unit_of_work(engine) as uow:
        jobs = (await uow.session.execute(UNFINISHED, {"first": scene.first_job})).all()
    on_engine = replace(parts, engine=engine)
    for job in jobs:
        try:
            async with unit_of_work(engine) as uow:
                if await uow.jobs.lock_unfinished(job.id) is not None:
                    now = max(call.now for call in scene.case.calls)
                    await uow.jobs.finish(job.id, now)
                    function = getattr(tasks, job.task)
                    await function(TaskContext(uow, now, on_engine), **job.arguments)
        except Exception as error:  # noqa: BLE001 -- a job that fails is a finding
            errors.append(f"job {job.task}: {type(error).__name__}: {error}"[:500])
    return errors


async def sweep(engine: AsyncEngine, now: Any) -> None:
    """Close what is overdue, as the worker's loop does."""
    async with unit_of_work(engine) as uow:
        await attempts.close_overdue(uow, now, GRACE)


async def _start(use: Using) -> dict[str, Any]:
    person, scene = use.scene.world.people[use.call.person], use.scene
    now = use.call.now
    request = StartPaper(scene.exam_id, scene.paper_ids[0], "phone", now, now)
    started = await exams.start(use.uow, use.parts, person, request)
    attempt = started.started.attempt
    return {
        "attempt": str(attempt.id),
        "is_new": started.started.is_new,
        "lease": attempt.lease,
        "deadline_at": attempt.deadline_at.isoformat(),
        "practice": attempt.practice,
        "version": str(attempt.paper_id),
        "answers": sorted(str((e.question_id, e.lease, e.revision)) for e in started.started.responses),
    }


async def _register(use: Using) -> dict[str, Any]:
    person = use.scene.world.people[use.call.person]
    registration, is_new = await exams.register(use.uow, person, use.scene.exam_id, use.call.now)
    return {"is_new": is_new, "registration": str(registration.id)}


async def _save(use: Using) -> dict[str, Any]:
    scene, call = use.scene, use.call
    content = scene.contents[0]
    version = scene.pinned(scene.case.exam.pinned)
    target = SaveTarget(use.attempt, version, call.lease)
    sent = [
        Response(
            question_id=content.question_ids[each.question],
            revision=each.revision,
            answer=[each.option] if each.option else None,
            marked_for_review=False,
            time_spent_ms=0,
            confidence=None,
            language=None,
        )
        for each in call.answers
    ]
    report = await save_uncommitted(use.uow, use.parts, target, sent, call.now)
    if isinstance(report, LateSave):
        return {"error": "late", "recorded": report.recorded, "known": report.known}
    return {
        "stored": report.saved + len(report.superseded),
        "known": report.known,
        "conflicts": len(report.conflicts),
    }


async def _submit(use: Using) -> dict[str, Any]:
    attempt = await exams.submit(use.uow, use.parts, use.attempt, use.call.now)
    ended = attempt.submitted_at
    return {
        "status": attempt.status,
        "closed_by": attempt.closed_by,
        "submitted_at": ended.isoformat() if ended else None,
    }


async def _steer(use: Using) -> dict[str, Any]:
    call, scene = use.call, use.scene
    targets = "all" if call.targets == "all" else [scene.attempts[person] for person in call.targets]
    everybody = frozenset(Exemption) if call.name == "end" and call.seconds else frozenset()
    seconds = 0 if call.name == "end" else call.seconds
    action = StaffAction(VERBS[call.name], "power cut", targets, seconds, include=everybody)  # type: ignore[arg-type]
    return _steered(await exams.steer(use.uow, use.parts, scene.world.staff, scene.exam_id, action, call.now))


def _steered(steered: Steered) -> dict[str, Any]:
    return {
        "changed": sorted(str(attempt.id) for attempt in steered.changed),
        "unchanged": sorted(str(attempt.id) for attempt in steered.unchanged),
        "refused": sorted(str(note.attempt_id) for note in steered.refused),
        "left_out": steered.left_out.attempts if steered.left_out else 0,
    }


async def _accommodate(use: Using) -> dict[str, Any]:
    call, scene = use.call, use.scene
    target = Target(group=call.group) if call.group else Target(use.attempt.user_id)
    grant = Grant(target, call.seconds, "certificate")
    done = await exams.accommodate(use.uow, use.parts, scene.world.staff, scene.exam_id, [grant], call.now)
    return {
        "grants_changed": 1 - len(done.unchanged),
        "moved": [[str(each.user_id), each.seconds] for each in done.attempts if each.outcome != "kept"],
    }


async def _postpone(use: Using) -> dict[str, Any]:
    scene = use.scene
    await exams.postpone(use.uow, scene.world.staff, scene.exam_id, use.call.seconds, "floods", use.call.now)
    return {}


async def _cancel(use: Using) -> dict[str, Any]:
    await exams.cancel(use.uow, use.scene.world.staff, use.scene.exam_id, "leaked", use.call.now)
    return {}


async def _close(use: Using) -> dict[str, Any]:
    scene = use.scene
    everybody = frozenset(Exemption) if use.call.seconds else frozenset()
    wanted = ClosePaper(scene.exam_id, scene.paper_ids[0], "fire", everybody)
    closed = await exams.close_paper(use.uow, use.parts, scene.world.staff, wanted, use.call.now)
    return _steered(closed.steered)


async def _publish(use: Using) -> dict[str, Any]:
    await exams.publish(use.uow, use.scene.world.staff, use.scene.exam_id, use.call.now)
    return {}


async def _release(use: Using) -> dict[str, Any]:
    staff, scene = use.scene.world.staff, use.scene
    released = await exams.release(use.uow, use.parts, staff, scene.exam_id, use.call.now, "drawn")
    return {"version": released.release.version, "participants": released.release.participants}


async def _sweep(use: Using) -> dict[str, Any]:
    await attempts.close_overdue(use.uow, use.call.now, GRACE)
    return {}


async def _grade(use: Using) -> dict[str, Any]:
    ids = list(use.scene.attempts.values())
    await attempts.grade_batch(use.uow, use.parts, ids, use.call.now)
    return {}


DO: Mapping[str, Callable[[Using], Awaitable[dict[str, Any]]]] = {
    "start": _start,
    "register": _register,
    "save": _save,
    "submit": _submit,
    "accommodate": _accommodate,
    "postpone": _postpone,
    "cancel": _cancel,
    "close": _close,
    "publish": _publish,
    "release": _release,
    "sweep": _sweep,
    "grade": _grade,
} | dict.fromkeys(VERBS, _steer)


def later(call: Call) -> Call:
    """The same call a little later, as a client repeats it."""
    return replace(call, now=call.now + timedelta(seconds=4))
