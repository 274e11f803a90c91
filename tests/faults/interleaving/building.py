"""Writes the first state of a case into the database, past the services that it will test."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg

from app.core.ids import first_uuid7, uuid7
from app.models import DEFAULT_INSTITUTE_ID
from tests.faults.interleaving.cases import AttemptState, Case
from tests.faults.interleaving.marking import Mark, mark, standing_of
from tests.faults.interleaving.world import NOW, Content, World

Row = dict[str, Any]
STAMPS = {"created_at": NOW.isoformat(), "updated_at": NOW.isoformat()}


@dataclass
class Scene:
    """A case in the database: which rows are whose."""

    world: World
    case: Case
    exam_id: UUID
    paper_ids: list[UUID]
    contents: list[Content]
    attempts: dict[str, UUID] = field(default_factory=dict)
    registrations: dict[str, UUID] = field(default_factory=dict)
    first_job: UUID = field(default_factory=uuid7)
    first_message: int = 0
    first_entry: UUID = field(default_factory=uuid7)
    """The audit log only grows: entries before this one are the building's own."""

    def pinned(self, version: int) -> UUID:
        """The first paper's test in a version."""
        return self.contents[0].versions[version - 1]

    @property
    def labels(self) -> Mapping[str, str]:
        """What ids are called when two runs of a case are compared."""
        known = {self.exam_id: "exam"}
        known |= {paper_id: f"paper {number}" for number, paper_id in enumerate(self.paper_ids)}
        known |= {attempt_id: f"attempt of {name}" for name, attempt_id in self.attempts.items()}
        known |= {each: f"registration of {name}" for name, each in self.registrations.items()}
        known |= {principal.id: name for name, principal in self.world.people.items()}
        for content in self.contents:
            known |= {each: f"question {position}" for position, each in enumerate(content.question_ids)}
            known |= {each: f"version {position + 1}" for position, each in enumerate(content.versions)}
        return {str(id_): label for id_, label in known.items()}


async def build(connection: asyncpg.Connection, world: World, case: Case) -> Scene:
    """Make the exam of a case with everything that it has at first."""
    papers = 2 if case.exam.second_paper else 1
    paper_ids = sorted(uuid7() for _ in range(papers))  # in order, since they are locked by their ids
    scene = Scene(world, case, uuid7(), paper_ids, list(world.contents[:papers]))
    scene.registrations = {person: uuid7() for person in case.exam.registered}
    scene.attempts = {person: uuid7(state.started_at) for person, state in case.attempts.items()}
    rows = {
        "exams": [_exam(scene)],
        "exam_papers": [_paper(scene, number) for number in range(papers)],
        "registrations": [_registration(scene, person) for person in scene.registrations],
        "accommodations": [_grant(scene, *grant) for grant in case.exam.grants],
        "attempts": [_attempt(scene, person, state) for person, state in case.attempts.items()],
        "response_events": [row for person in case.attempts for row in _events(scene, person)],
        "results": [_result(scene, person) for person, state in case.attempts.items() if state.graded],
    }
    rows["score_counts"] = _histogram(rows["results"])
    scene.first_job = first_uuid7(_now_of(uuid7()))
    waiting = [scene.attempts[person] for person, state in case.attempts.items() if _waits(state)]
    async with connection.transaction():
        for table, some in rows.items():
            if some:
                await connection.execute(
                    f"insert into ias.{table} select * from jsonb_populate_recordset(null::ias.{table}, $1)",
                    json.dumps(some),
                )
        if waiting:
            await connection.execute(
                "insert into ias.jobs (id, task, arguments) values ($1, 'grade_attempts', $2)",
                uuid7(),
                json.dumps({"attempt_ids": [str(each) for each in waiting]}),
            )
        scene.first_message = await connection.fetchval(
            "select coalesce(pg_sequence_last_value(pg_get_serial_sequence('ias.messages', 'number')), 0)"
        )
    return scene


def _waits(state: AttemptState) -> bool:
    return state.status == "submitted" and not state.graded


def _now_of(id_: UUID) -> datetime:
    return datetime.fromtimestamp((id_.int >> 80) / 1000, NOW.tzinfo)


def _exam(scene: Scene) -> Row:
    state = scene.case.exam
    published = state.stage != "draft"
    return STAMPS | {
        "id": str(scene.exam_id),
        "institute_id": str(DEFAULT_INSTITUTE_ID),
        "title": {"en": "Mock"},
        "opens_at": state.starts_at.isoformat(),
        "closes_at": (state.ends_at + timedelta(hours=1)).isoformat(),
        "registration": state.registration,
        "cutoffs": {},
        "normalization": "none",
        "tie_breaks": "none",
        "percentile_definition": "at_or_below",
        "certificates": "none",
        "published_at": (NOW - timedelta(days=9)).isoformat() if published else None,
        "cancelled_at": (NOW - timedelta(seconds=60)).isoformat() if state.stage == "cancelled" else None,
    }


def _paper(scene: Scene, number: int) -> Row:
    state, content = scene.case.exam, scene.contents[number]
    pinned = content.versions[(state.pinned if number == 0 else 2) - 1]
    return STAMPS | {
        "id": str(scene.paper_ids[number]),
        "exam_id": str(scene.exam_id),
        "test_id": str(content.test_id),
        "paper_id": str(pinned) if state.stage != "draft" else None,
        "code": f"GS{number + 1}",
        "title": {"en": f"Paper {number + 1}"},
        "starts_at": state.starts_at.isoformat(),
        "entry_closes_at": state.entry_closes_at.isoformat(),
        "ends_at": state.ends_at.isoformat(),
        "counts_for_merit": number == 0,
        "group_percents": {},
        "section_percents": {},
        "closed_at": state.closed_at.isoformat() if state.closed_at else None,
    }


def _registration(scene: Scene, person: str) -> Row:
    return STAMPS | {
        "id": str(scene.registrations[person]),
        "exam_id": str(scene.exam_id),
        "user_id": str(scene.world.people[person].id),
        "roll_number": f"1000000{person}",
        "name": "Asha Rao",
        "category": "obc" if person in "BD" else "general",
    }


def _grant(scene: Scene, target: str, seconds: int) -> Row:
    person = scene.world.people.get(target)
    return STAMPS | {
        "id": str(uuid7()),
        "exam_id": str(scene.exam_id),
        "user_id": str(person.id) if person else None,
        "candidate_group": None if person else target,
        "extra_seconds": seconds,
        "reason": "certificate",
    }


def _attempt(scene: Scene, person: str, state: AttemptState) -> Row:
    given = {"kind": "extension", "at": state.started_at.isoformat(), "seconds": state.extension_seconds}
    return STAMPS | {
        "id": str(scene.attempts[person]),
        "test_id": str(scene.contents[0].test_id),
        "paper_id": str(scene.pinned(scene.case.exam.pinned)),
        "exam_paper_id": str(scene.paper_ids[0]),
        "registration_id": None if state.practice else str(scene.registrations[person]),
        "user_id": str(scene.world.people[person].id),
        "number": 1,
        "practice": state.practice,
        "status": state.status,
        "lease": state.lease,
        "seed": 1,
        "started_at": state.started_at.isoformat(),
        "accommodation_seconds": state.accommodation_seconds,
        "additions": [given] if state.extension_seconds else [],
        "paused_at": state.paused_at.isoformat() if state.paused_at else None,
        "deadline_at": state.deadline_at.isoformat(),
        "submitted_at": state.submitted_at.isoformat() if state.submitted_at else None,
        "closed_by": state.closed_by,
        "voided_from": {"void": "in_progress", "void-ended": "submitted"}.get(state.kind),
    }


def _events(scene: Scene, person: str) -> list[Row]:
    questions = scene.contents[0].question_ids
    return [
        {
            "attempt_id": str(scene.attempts[person]),
            "question_id": str(questions[logged.answer.question]),
            "lease": logged.lease,
            "revision": logged.answer.revision,
            "answer": [logged.answer.option] if logged.answer.option else None,
            "marked_for_review": False,
            "time_spent_ms": 0,
            "late": logged.late,
            "received_at": NOW.isoformat(),
        }
        for logged in scene.case.attempts[person].log
    ]


def _result(scene: Scene, person: str) -> Row:
    paper_id = scene.pinned(scene.case.exam.pinned)
    keys = scene.contents[0].keys(paper_id)
    answers = standing_of(_events(scene, person))
    marked: Mark = mark(keys, answers)
    return {
        "attempt_id": str(scene.attempts[person]),
        "cohort_id": str(scene.paper_ids[0]),
        "user_id": str(scene.world.people[person].id),
        "counted": True,
        "qualification": "qualified",
        "was_staff": False,
        "score_numerator": marked.score.numerator,
        "score_denominator": marked.score.denominator,
        "raw_numerator": marked.score.numerator,
        "raw_denominator": marked.score.denominator,
        "key_id": str(scene.contents[0].key_ids[paper_id]),
        "answers": [[answers[question]] if question in answers else None for question in keys],
        "outcomes": marked.outcomes,
        "marks": " ".join(map(str, marked.thirds)),
        "marks_denominator": 3,
        "graded_at": NOW.isoformat(),
    }


def _histogram(results: Sequence[Row]) -> list[Row]:
    counts: dict[tuple[str, int, int], int] = {}
    for row in results:
        bin_ = (row["cohort_id"], row["score_numerator"], row["score_denominator"])
        counts[bin_] = counts.get(bin_, 0) + 1
    return [
        {"cohort_id": cohort, "numerator": numerator, "denominator": denominator, "candidates": count}
        for (cohort, numerator, denominator), count in counts.items()
    ]
