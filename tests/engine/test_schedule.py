"""An exam's calendar as tables: stages, windows, registration, whose extra time counts."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from app.engine import schedule
from app.engine.schedule import ExamDates, ExamStage, PaperStatus, Window

NINE = datetime(2026, 11, 26, 3, 30, tzinfo=UTC)  # 9:00 in India
HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)


def dates(**changes: object) -> ExamDates:
    return ExamDates(**({"published_at": NINE - 100 * HOUR} | changes))  # type: ignore[arg-type]


WINDOW = Window(NINE, NINE + HOUR / 2, NINE + 2 * HOUR)
AFTERNOON = Window(NINE + 5 * HOUR, NINE + HOUR * 5.5, NINE + 7 * HOUR)
DAY = [WINDOW, AFTERNOON]


class TestStage:
    @pytest.mark.parametrize(
        ("changes", "now", "expected"),
        [
            ({"published_at": None}, NINE, ExamStage.DRAFT),
            ({}, NINE - SECOND, ExamStage.SCHEDULED),
            ({}, NINE, ExamStage.LIVE),
            ({}, NINE + 2 * HOUR - SECOND, ExamStage.LIVE),
            ({}, NINE + 2 * HOUR, ExamStage.SCHEDULED),
            ({}, NINE + 5 * HOUR, ExamStage.LIVE),
            ({}, NINE + 7 * HOUR - SECOND, ExamStage.LIVE),
            ({}, NINE + 7 * HOUR, ExamStage.CLOSED),
            ({"key_stage": "provisional_key"}, NINE + 8 * HOUR, ExamStage.PROVISIONAL_KEY),
            ({"key_stage": "final_key"}, NINE + 9 * HOUR, ExamStage.FINAL_KEY),
            ({"key_stage": "provisional_key"}, NINE + HOUR, ExamStage.LIVE),
            ({"released_at": NINE + HOUR}, NINE + HOUR, ExamStage.RELEASED),
            ({"cancelled_at": NINE - HOUR}, NINE, ExamStage.CANCELLED),
            ({"cancelled_at": NINE, "published_at": None}, NINE, ExamStage.CANCELLED),
            ({"cancelled_at": NINE, "released_at": NINE}, NINE, ExamStage.RELEASED),
        ],
    )
    def test_table(self, changes: dict[str, object], now: datetime, expected: ExamStage) -> None:
        assert schedule.stage(dates(**changes), DAY, now) is expected

    @pytest.mark.parametrize(
        ("closed", "now", "expected"),
        [
            ((True, False), NINE + HOUR, ExamStage.SCHEDULED),
            ((True, False), NINE + 6 * HOUR, ExamStage.LIVE),
            ((False, True), NINE + HOUR, ExamStage.LIVE),
            ((False, True), NINE + 3 * HOUR, ExamStage.CLOSED),
            ((True, True), NINE - HOUR, ExamStage.CLOSED),
        ],
    )
    def test_papers_that_staff_closed_are_over(
        self, closed: tuple[bool, bool], now: datetime, expected: ExamStage
    ) -> None:
        windows = [
            replace(window, closed_at=NINE if shut else None)
            for window, shut in zip(DAY, closed, strict=True)
        ]
        assert schedule.stage(dates(), windows, now) is expected

    def test_papers_at_the_same_time(self) -> None:
        later = schedule.postponed(WINDOW, HOUR)
        seen = [schedule.stage(dates(), [WINDOW, later], NINE + hours * HOUR) for hours in range(-1, 4)]
        live = ExamStage.LIVE
        assert seen == [ExamStage.SCHEDULED, live, live, live, ExamStage.CLOSED]


class TestNextStart:
    @pytest.mark.parametrize(
        ("now", "expected"),
        [
            (NINE - SECOND, NINE),
            (NINE, NINE + 5 * HOUR),
            (NINE + 5 * HOUR - SECOND, NINE + 5 * HOUR),
            (NINE + 5 * HOUR, None),
        ],
    )
    def test_table(self, now: datetime, expected: datetime | None) -> None:
        assert schedule.next_start(reversed(DAY), now) == expected

    def test_a_paper_that_staff_closed_does_not_start(self) -> None:
        assert schedule.next_start([replace(WINDOW, closed_at=NINE - HOUR)], NINE - SECOND) is None

    def test_without_papers(self) -> None:
        assert schedule.next_start([], NINE) is None


class TestPaperStatus:
    @pytest.mark.parametrize(
        ("after_start", "closed", "expected"),
        [
            (-SECOND, False, PaperStatus.SCHEDULED),
            (timedelta(), False, PaperStatus.OPEN),
            (HOUR / 2 - SECOND, False, PaperStatus.OPEN),
            (HOUR / 2, False, PaperStatus.ENTRY_CLOSED),
            (2 * HOUR - SECOND, False, PaperStatus.ENTRY_CLOSED),
            (2 * HOUR, False, PaperStatus.CLOSED),
            (-SECOND, True, PaperStatus.CLOSED),
            (SECOND, True, PaperStatus.CLOSED),
        ],
    )
    def test_table(self, after_start: timedelta, closed: bool, expected: PaperStatus) -> None:
        window = Window(WINDOW.starts_at, WINDOW.entry_closes_at, WINDOW.ends_at, NINE if closed else None)
        assert schedule.paper_status(window, NINE + after_start) is expected

    def test_entry_may_close_with_the_window(self) -> None:
        window = Window(NINE, NINE + HOUR, NINE + HOUR)
        assert schedule.paper_status(window, NINE + HOUR - SECOND) is PaperStatus.OPEN
        assert schedule.paper_status(window, NINE + HOUR) is PaperStatus.CLOSED


class TestRegistrationIsOpen:
    def test_until_the_last_entry_closes(self) -> None:
        afternoon = schedule.postponed(WINDOW, 5 * HOUR)
        both = [WINDOW, afternoon]
        assert schedule.registration_is_open(both, WINDOW.entry_closes_at)
        assert not schedule.registration_is_open(both, afternoon.entry_closes_at)

    def test_a_paper_that_staff_closed_takes_nobody(self) -> None:
        closed = Window(WINDOW.starts_at, WINDOW.entry_closes_at, WINDOW.ends_at, NINE)
        assert not schedule.registration_is_open([closed], NINE)

    def test_without_papers_there_is_nothing_to_enter(self) -> None:
        assert not schedule.registration_is_open([], NINE)


class TestPostponed:
    def test_every_moment_moves_by_the_same(self) -> None:
        later = schedule.postponed(WINDOW, HOUR)
        assert later == Window(NINE + HOUR, NINE + HOUR * 1.5, NINE + 3 * HOUR)


class TestAccommodation:
    @pytest.mark.parametrize(
        ("own", "groups", "expected"),
        [
            (None, [], 0),
            (None, [600], 600),
            (None, [600, 2400], 2400),
            (300, [2400], 300),
            (0, [2400], 2400),
            (0, [], 0),
            (3600, [], 3600),
        ],
    )
    def test_a_persons_own_beats_the_groups(self, own: int | None, groups: list[int], expected: int) -> None:
        granted = schedule.accommodation(
            timedelta(seconds=own) if own is not None else None,
            [timedelta(seconds=seconds) for seconds in groups],
        )
        assert granted == timedelta(seconds=expected)


class TestDisorder:
    def test_a_window_in_order_has_none(self) -> None:
        assert schedule.disorder(WINDOW) == []
        assert schedule.out_of_exam(WINDOW, NINE, NINE + 2 * HOUR) == []

    @pytest.mark.parametrize(
        ("window", "fields"),
        [
            (Window(NINE, NINE, NINE + HOUR), ["entry_closes_at"]),
            (Window(NINE, NINE + 2 * HOUR, NINE + HOUR), ["ends_at"]),
            (Window(NINE, NINE - 2 * HOUR, NINE - 3 * HOUR), ["entry_closes_at", "ends_at"]),
        ],
    )
    def test_each_moment_out_of_order_is_named(self, window: Window, fields: list[str]) -> None:
        assert [field for field, _ in schedule.disorder(window)] == fields

    def test_a_paper_lies_within_its_exam(self) -> None:
        outside = schedule.out_of_exam(WINDOW, NINE + SECOND, NINE + HOUR)
        assert [field for field, _ in outside] == ["starts_at", "ends_at"]


def test_every_stage_is_reachable() -> None:
    moments: list[datetime | None] = [None, NINE]
    facts = product(moments, moments, [None, "provisional_key", "final_key"], moments, range(-1, 10, 3))
    seen = {
        schedule.stage(
            dates(published_at=published, cancelled_at=cancelled, key_stage=key, released_at=released),
            DAY,
            NINE + hours * HOUR,
        )
        for published, cancelled, key, released, hours in facts
    }
    assert seen == set(ExamStage)
