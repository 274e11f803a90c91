"""The statement that saves answers, compared with the pure model that it implements."""

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncEngine

from app.core.saving_errors import SectionClosed
from app.engine.responses import (
    Conflicting,
    Event,
    Known,
    NotTaken,
    Saved,
    Superseded,
    classify,
    standing_answers,
)
from app.models import Attempt, ResponseEvent
from app.services import attempts
from app.services.attempts import LateSave, SaveReport, StandingAnswer
from app.services.components import Components
from app.services.tests import SectionDraft
from app.services.unit_of_work import reading, unit_of_work
from tests.builders.attempts import logged, ref_of, response, start_attempt, target_of
from tests.builders.content import PublishedTest, add_questions, publish_test
from tests.thorough import count

NOW = datetime(2026, 6, 7, 4, 0, tzinfo=UTC)
TOO_LATE = NOW + timedelta(seconds=611)  # the test takes 600 s, and 10 s of grace

Shot = tuple[int, int, Any, dict[str, Any]]
"""Question, revision, answer and the rest of one response that is sent."""

shots = st.tuples(
    st.integers(0, 2),
    st.integers(1, 4),
    st.sampled_from([["a"], ["b"], ["b", "a"], None]),
    st.sampled_from([{}, {}, {"marked_for_review": True}, {"time_spent_ms": 5000, "confidence": "guess"}]),
)
# Few questions, revisions and answers, so that repeats, late comers and conflicts are the rule.
batches = st.lists(
    st.tuples(st.sampled_from([1, 2]), st.lists(shots, min_size=1, max_size=6)), min_size=1, max_size=8
)


# Each request also says whether the first section, with question 0 alone, has ended when it arrives.
timed_batches = st.lists(
    st.tuples(st.sampled_from([1, 2]), st.booleans(), st.lists(shots, min_size=1, max_size=6)),
    min_size=1,
    max_size=8,
)
SECTION_OVER = NOW + timedelta(seconds=111)  # the section takes 100 s, and 10 s of grace


@pytest.fixture(scope="module")
async def timed(engine: AsyncEngine) -> PublishedTest:
    """Question 0 in a locked section of 100 s, the other two in a section without a time."""
    async with unit_of_work(engine) as uow:
        ids = await add_questions(uow, [["a"], ["b"], ["c"]])
        sections = [
            SectionDraft({"en": "Reasoning"}, ids[:1], duration_seconds=100),
            SectionDraft({"en": "Comprehension"}, ids[1:]),
        ]
        return PublishedTest((await publish_test(uow, sections=sections)).id, ids)


@pytest.fixture(scope="module")
async def made(engine: AsyncEngine) -> PublishedTest:
    async with unit_of_work(engine) as uow:
        return await publish_test(uow)


class Model:
    """The log of one attempt as `engine/responses` has it."""

    def __init__(self) -> None:
        self.log: list[Event] = []

    def receive(
        self, incoming: Sequence[Event], closed: Collection[UUID] = ()
    ) -> tuple[Counter[type], list[Event], list[Event]]:
        counts: Counter[type] = Counter()
        superseded, conflicts = [], []
        for event in incoming:
            verdict = classify(self.log, event, takes_new=event.question_id not in closed)
            counts[type(verdict)] += 1
            if isinstance(verdict, Saved | Superseded):
                self.log.append(event)
            if isinstance(verdict, Superseded):
                superseded.append(verdict.standing)
            if isinstance(verdict, Conflicting):
                conflicts.append(verdict.standing)
        return counts, superseded, conflicts


async def started_on_two_devices(engine: AsyncEngine, parts: Components, made: PublishedTest) -> Attempt:
    """An attempt that has two leases."""
    async with unit_of_work(engine) as uow:
        attempt = await start_attempt(uow, parts, made, NOW)
        await uow.starts.next_leases([(attempt, "a second device")], NOW)
    return attempt


async def standing_of(engine: AsyncEngine, attempt: Attempt) -> Sequence[ResponseEvent]:
    async with reading(engine) as reads:
        return await reads.attempts.standing(attempt.id)


def event_of(made: PublishedTest, lease: int, shot: Shot) -> Event:
    number, revision, answer, more = shot
    fields: dict[str, Any] = {"time_spent_ms": 0} | more
    return Event(made.question_ids[number], lease, revision, frozen(answer), **fields)


def frozen(answer: Any) -> Any:
    return tuple(answer) if isinstance(answer, list) else answer


def shown(standing: Sequence[StandingAnswer]) -> list[tuple[UUID, int, int, Any]]:
    return [(each.question_id, each.lease, each.revision, frozen(each.answer)) for each in standing]


def identified(expected: Sequence[Event]) -> list[tuple[UUID, int, int, Any]]:
    return [(each.question_id, each.lease, each.revision, each.answer) for each in expected]


def read_back(row: ResponseEvent) -> Event:
    return Event(
        row.question_id,
        row.lease,
        row.revision,
        frozen(row.answer),
        row.marked_for_review,
        row.time_spent_ms,
        row.confidence,
        row.language,
    )


def as_counts(report: SaveReport) -> Counter[type]:
    return Counter(
        {
            Saved: report.saved,
            Known: report.known,
            Superseded: len(report.superseded),
            Conflicting: len(report.conflicts),
            NotTaken: len(report.closed),
        }
    )


class TestSave:
    @settings(max_examples=count(20, 60), derandomize=True, database=None, deadline=None)
    @given(deliveries=batches)
    async def test_the_statement_equals_the_model(
        self,
        engine: AsyncEngine,
        parts: Components,
        made: PublishedTest,
        deliveries: list[tuple[int, list[Shot]]],
    ) -> None:
        attempt = await started_on_two_devices(engine, parts, made)
        model = Model()
        for lease, sent in deliveries:
            report = await attempts.save_and_commit(
                parts,
                target_of(attempt, lease),
                [response(made, number, answer, revision, **more) for number, revision, answer, more in sent],
                NOW,
            )
            assert isinstance(report, SaveReport)
            counts, superseded, conflicts = model.receive([event_of(made, lease, shot) for shot in sent])
            assert as_counts(report) == counts
            assert shown(report.superseded) == identified(superseded)
            assert shown(report.conflicts) == identified(conflicts)
        rows = await logged(engine, attempt.id)
        assert {read_back(row) for row in rows} == set(model.log)
        assert len(rows) == len(model.log)
        standing = await standing_of(engine, attempt)
        assert {row.question_id: read_back(row) for row in standing} == standing_answers(model.log)

    @settings(max_examples=count(20, 60), derandomize=True, database=None, deadline=None)
    @given(deliveries=timed_batches)
    async def test_closed_sections_equal_the_model(
        self,
        engine: AsyncEngine,
        parts: Components,
        timed: PublishedTest,
        deliveries: list[tuple[int, bool, list[Shot]]],
    ) -> None:
        attempt = await started_on_two_devices(engine, parts, timed)
        model = Model()
        for lease, is_over, sent in deliveries:
            closed = timed.question_ids[:1] if is_over else ()
            counts, superseded, conflicts = model.receive(
                [event_of(timed, lease, shot) for shot in sent], closed
            )
            saving = attempts.save_and_commit(
                parts,
                target_of(attempt, lease),
                [
                    response(timed, number, answer, revision, **more)
                    for number, revision, answer, more in sent
                ],
                SECTION_OVER if is_over else NOW,
            )
            if counts[NotTaken] == len(sent):
                with pytest.raises(SectionClosed):
                    await saving
                continue
            report = await saving
            assert isinstance(report, SaveReport)
            assert as_counts(report) == counts
            assert {each.question_id for each in report.closed} <= set(closed)
            assert shown(report.superseded) == identified(superseded)
            assert shown(report.conflicts) == identified(conflicts)
        assert {read_back(row) for row in await logged(engine, attempt.id)} == set(model.log)

    async def test_what_was_late_counts_when_it_comes_again_in_time(
        self, engine: AsyncEngine, parts: Components, made: PublishedTest
    ) -> None:
        attempt = await started_on_two_devices(engine, parts, made)
        sent = [response(made, 0, ["a"]), response(made, 1, ["b"])]
        late = await attempts.save_and_commit(parts, target_of(attempt), sent[:1], TOO_LATE)
        assert isinstance(late, LateSave)
        async with unit_of_work(engine) as uow:
            (await uow.attempts.lock(ref_of(attempt))).deadline_at += timedelta(hours=1)
        report = await attempts.save_and_commit(parts, target_of(attempt), sent, TOO_LATE)
        assert isinstance(report, SaveReport)
        assert (report.saved, report.known) == (2, 0)
        standing = {row.question_id for row in await standing_of(engine, attempt)}
        assert standing == set(made.question_ids[:2])

    async def test_what_counts_stays_so_when_it_comes_again_late(
        self, engine: AsyncEngine, parts: Components, made: PublishedTest
    ) -> None:
        attempt = await started_on_two_devices(engine, parts, made)
        await attempts.save_and_commit(parts, target_of(attempt), [response(made, 0, ["a"])], NOW)
        for answer in (["a"], ["b"]):
            sent = [response(made, 0, answer)]
            late = await attempts.save_and_commit(parts, target_of(attempt), sent, TOO_LATE)
            assert isinstance(late, LateSave)
        [standing] = await standing_of(engine, attempt)
        assert (standing.answer, standing.received_at) == (["a"], NOW)
