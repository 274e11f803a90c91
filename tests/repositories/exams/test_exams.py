"""Lists of exams: the stage as an SQL condition, and the exams that are to come."""

from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any
from uuid import UUID, uuid4

from app.core.ids import uuid7
from app.engine import schedule
from app.engine.schedule import ExamDates, ExamStage, Window
from app.models import DEFAULT_INSTITUTE_ID, Exam, ExamPaper
from app.repositories.base import PageRequest
from app.repositories.exams import ExamFilter, ExamViewer
from app.services.unit_of_work import UnitOfWork
from tests.builders.attempts import add_candidate
from tests.builders.content import publish_test
from tests.builders.exams import registration

NOW = datetime(2026, 6, 7, 4, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
EVERYTHING = PageRequest(100)
STAFF = ExamViewer(UUID(int=7), DEFAULT_INSTITUTE_ID, is_staff=True)


async def add(
    uow: UnitOfWork, windows: list[Window], published_at: datetime | None = NOW, **columns: Any
) -> Exam:
    """An exam of papers with these windows."""
    exam = Exam(
        id=uuid7(),
        institute_id=DEFAULT_INSTITUTE_ID,
        title={"en": "Mock"},
        opens_at=NOW - 100 * HOUR,
        closes_at=NOW + 100 * HOUR,
        published_at=published_at,
        **columns,
    )
    uow.session.add(exam)
    await uow.session.flush()
    for number, window in enumerate(windows):
        paper = ExamPaper(
            exam_id=exam.id,
            test_id=(await publish_test(uow)).id,
            code=f"GS{number}",
            title={"en": "Paper"},
            starts_at=window.starts_at,
            entry_closes_at=window.entry_closes_at,
            ends_at=window.ends_at,
            closed_at=window.closed_at,
        )
        uow.session.add(paper)
    await uow.session.flush()
    return exam


def window(starts: int, ends: int, *, closed: bool = False) -> Window:
    """A window in hours from now. Entry closes an hour before the end."""
    return Window(
        NOW + starts * HOUR, NOW + (ends - 1) * HOUR, NOW + ends * HOUR, NOW - HOUR if closed else None
    )


PAST, PRESENT, FUTURE = (window(-4, -2), window(-1, 1), window(2, 4))
EDGES = (window(0, 2), window(-2, 0))


async def test_the_condition_of_a_stage_agrees_with_the_rule(uow: UnitOfWork) -> None:
    moments = (None, NOW)
    windows = [[], [PAST], [PRESENT], [FUTURE], [PAST, FUTURE], [PRESENT, FUTURE], [PAST, PAST]]
    windows += [[each] for each in EDGES]
    windows += [
        [window(-1, 1, closed=True)],
        [window(2, 4, closed=True), PAST],
        [window(-1, 1, closed=True), FUTURE],
    ]
    facts: list[tuple[Any, ...]] = [
        (each, NOW, None, None, key) for each, key in product(windows, (None, "final_key"))
    ]
    facts += [([PRESENT], *each, None) for each in product(moments, moments, moments)]
    expected = {}
    for each, published, cancelled, released, key in facts:
        states: dict[str, Any] = {"cancelled_at": cancelled, "released_at": released, "key_stage": key}
        exam = await add(uow, each, published, **states)
        expected[exam.id] = schedule.stage(ExamDates(published_at=published, **states), each, NOW)
    for stage in ExamStage:
        page = await uow.exams.page(STAFF, ExamFilter([stage]), NOW, EVERYTHING)
        found = {exam.id for exam in page.items} & set(expected)
        assert found == {exam_id for exam_id, each in expected.items() if each is stage}, stage
    assert set(expected.values()) >= {ExamStage.SCHEDULED, ExamStage.LIVE, ExamStage.CLOSED}


class TestComing:
    async def test_own_ones_first_each_in_the_order_of_their_start(self, uow: UnitOfWork) -> None:
        candidate = await add_candidate(uow)
        viewer = ExamViewer(candidate.id, DEFAULT_INSTITUTE_ID, is_staff=False)
        later, sooner, mine, live = [
            await add(uow, windows)
            for windows in ([window(50, 52)], [window(40, 42)], [window(60, 62)], [PAST, PRESENT, FUTURE])
        ]
        for exam in (mine, live):
            uow.session.add(registration(exam.id, candidate.id, roll_number=uuid4().hex[:8]))
        await uow.session.flush()
        coming = [exam.id for exam in await uow.exams.coming(viewer, NOW, 100)]
        ours = [each for each in coming if each in {later.id, sooner.id, mine.id, live.id}]
        assert coming[:2] == ours[:2] == [live.id, mine.id]
        assert ours[2:] == [sooner.id, later.id]

    async def test_what_is_over_or_takes_nobody_is_left_out(self, uow: UnitOfWork) -> None:
        candidate = await add_candidate(uow)
        viewer = ExamViewer(candidate.id, DEFAULT_INSTITUTE_ID, is_staff=False)
        left_out = [
            await add(uow, [PAST]),
            await add(uow, [window(1, 3, closed=True)]),
            await add(uow, [FUTURE], None),
            await add(uow, [FUTURE], cancelled_at=NOW),
            await add(uow, [FUTURE], released_at=NOW),
        ]
        entry_closed = await add(uow, [window(-5, 1)])
        coming = {exam.id for exam in await uow.exams.coming(viewer, NOW, 100)}
        assert not coming & {exam.id for exam in [*left_out, entry_closed]}
        uow.session.add(registration(entry_closed.id, candidate.id))
        await uow.session.flush()
        assert [exam.id for exam in await uow.exams.coming(viewer, NOW, 1)] == [entry_closed.id]
