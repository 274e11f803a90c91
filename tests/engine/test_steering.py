"""Steering as tables: what each step makes of each state, and what must hold whatever staff do."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.engine import steering
from app.engine.steering import AttemptState, Given, Kind, Refused, Status

TEN = datetime(2026, 11, 26, 4, 30, tzinfo=UTC)
MINUTE, GRACE = timedelta(minutes=1), timedelta(seconds=10)
NOON = TEN + 120 * MINUTE  # the deadline


def running(**changes: object) -> AttemptState:
    return AttemptState(**({"status": Status.IN_PROGRESS, "deadline_at": NOON} | changes))  # type: ignore[arg-type]


def paused(at: datetime = TEN + 60 * MINUTE) -> AttemptState:
    return running(status=Status.PAUSED, paused_at=at)


def ended(by: str, at: datetime = NOON) -> AttemptState:
    return running(status=Status.SUBMITTED, ended_at=at, ended_by=by)


def voided(by: str = "staff", at: datetime = TEN + 60 * MINUTE) -> AttemptState:
    return running(status=Status.VOID, ended_at=at, ended_by=by)


class TestEndedByDeadline:
    @pytest.mark.parametrize(
        ("state", "now", "status"),
        [
            (running(), NOON, Status.IN_PROGRESS),
            (running(), NOON + GRACE, Status.IN_PROGRESS),
            (running(), NOON + GRACE + timedelta(microseconds=1), Status.SUBMITTED),
            (paused(), NOON + 60 * MINUTE, Status.PAUSED),
            (ended("candidate"), NOON + 60 * MINUTE, Status.SUBMITTED),
        ],
    )
    def test_the_clock_ends_what_runs(self, state: AttemptState, now: datetime, status: Status) -> None:
        assert steering.ended_by_deadline(state, now, GRACE).status is status

    def test_it_ended_at_its_deadline_whenever_that_is_noticed(self) -> None:
        over = steering.ended_by_deadline(running(), NOON + 30 * MINUTE, GRACE)
        assert (over.ended_at, over.ended_by) == (NOON, "deadline")


class TestExtend:
    @pytest.mark.parametrize("before", [running(), paused()])
    def test_who_sits_gets_more(self, before: AttemptState) -> None:
        after = steering.extend(before, 10 * MINUTE, TEN)
        assert (after.status, after.deadline_at) == (before.status, NOON + 10 * MINUTE)

    def test_what_the_clock_ended_goes_on(self) -> None:
        after = steering.extend(ended("deadline"), 10 * MINUTE, NOON + MINUTE)
        assert after.status is Status.IN_PROGRESS
        assert (after.deadline_at, after.ended_at, after.ended_by) == (NOON + 10 * MINUTE, None, None)

    def test_the_time_is_given_where_the_deadline_was(self) -> None:
        after = steering.extend(ended("deadline"), 10 * MINUTE, NOON + MINUTE)
        assert after.given == (Given(Kind.EXTENSION, NOON, 10 * MINUTE),)

    @pytest.mark.parametrize("late_by", [10 * MINUTE, 11 * MINUTE])
    def test_an_extension_that_would_be_over_is_refused(self, late_by: timedelta) -> None:
        with pytest.raises(Refused, match="Give more"):
            steering.extend(ended("deadline"), 10 * MINUTE, NOON + late_by)

    @pytest.mark.parametrize("before", [ended("candidate"), ended("staff"), voided()])
    def test_what_somebody_ended_stays_so(self, before: AttemptState) -> None:
        with pytest.raises(Refused):
            steering.extend(before, 10 * MINUTE, TEN + 90 * MINUTE)

    def test_twice_adds_up(self) -> None:
        after = steering.extend(steering.extend(running(), MINUTE, TEN), MINUTE, TEN)
        assert after.deadline_at == NOON + 2 * MINUTE


class TestRegrant:
    @pytest.mark.parametrize("minutes", [-30, 30])
    @pytest.mark.parametrize("before", [running(), paused()])
    def test_it_moves_the_deadline_of_who_sits(self, before: AttemptState, minutes: int) -> None:
        after = steering.regrant(before, minutes * MINUTE, TEN)
        assert (after.status, after.deadline_at) == (before.status, NOON + minutes * MINUTE)

    @pytest.mark.parametrize(
        ("before", "now", "deadline"),
        [
            # Of the time that is left, at most all is taken: the deadline moves to the present.
            (running(), NOON - 20 * MINUTE, NOON - 20 * MINUTE),
            (running(), NOON - 20 * MINUTE - timedelta(milliseconds=300), NOON - 20 * MINUTE),
            (running(), NOON + timedelta(seconds=5), NOON),
            (paused(NOON - 20 * MINUTE), NOON + 60 * MINUTE, NOON - 20 * MINUTE),
            (paused(NOON - 50 * MINUTE), NOON + 60 * MINUTE, NOON - 30 * MINUTE),
        ],
    )
    def test_it_takes_no_time_that_has_passed(
        self, before: AttemptState, now: datetime, deadline: datetime
    ) -> None:
        after = steering.regrant(before, -30 * MINUTE, now)
        assert (after.status, after.deadline_at) == (before.status, deadline)

    def test_what_the_clock_ended_goes_on_if_there_is_time(self) -> None:
        assert steering.regrant(ended("deadline"), 30 * MINUTE, NOON + MINUTE).status is Status.IN_PROGRESS
        assert steering.regrant(ended("deadline"), 30 * MINUTE, NOON + 30 * MINUTE) == ended("deadline")

    @pytest.mark.parametrize("before", [ended("candidate"), ended("staff"), voided()])
    def test_what_somebody_ended_is_left_alone(self, before: AttemptState) -> None:
        assert steering.regrant(before, 30 * MINUTE, TEN) == before


class TestPauseAndResume:
    def test_who_resumes_has_what_was_left(self) -> None:
        stopped = steering.pause(running(), TEN + 60 * MINUTE)
        after = steering.resume(stopped, TEN + 75 * MINUTE)
        assert after.deadline_at - (TEN + 75 * MINUTE) == 60 * MINUTE
        assert after.given == (Given(Kind.PAUSE, TEN + 60 * MINUTE, 15 * MINUTE),)

    def test_a_pause_goes_over_the_deadline(self) -> None:
        stopped = steering.pause(running(), NOON - MINUTE)
        after = steering.resume(
            steering.ended_by_deadline(stopped, NOON + 600 * MINUTE, GRACE), NOON + 600 * MINUTE
        )
        assert after.deadline_at == NOON + 601 * MINUTE

    def test_an_extension_during_a_pause_counts_too(self) -> None:
        stopped = steering.extend(steering.pause(running(), TEN), 5 * MINUTE, TEN + MINUTE)
        assert steering.resume(stopped, TEN + 10 * MINUTE).deadline_at == NOON + 15 * MINUTE

    @pytest.mark.parametrize(
        ("step", "state"),
        [(steering.pause, paused()), (steering.resume, running()), (steering.submit, ended("candidate"))],
    )
    def test_a_second_click_changes_nothing(
        self, step: Callable[[AttemptState, datetime], AttemptState], state: AttemptState
    ) -> None:
        assert step(state, TEN + 90 * MINUTE) == state

    @pytest.mark.parametrize("step", [steering.pause, steering.resume])
    @pytest.mark.parametrize("state", [ended("candidate"), ended("deadline"), ended("staff"), voided()])
    def test_what_is_over_neither_pauses_nor_resumes(
        self, step: Callable[[AttemptState, datetime], AttemptState], state: AttemptState
    ) -> None:
        with pytest.raises(Refused):
            step(state, NOON)


class TestSubmit:
    @pytest.mark.parametrize("before", [running(), paused()])
    def test_staff_end_it_now(self, before: AttemptState) -> None:
        after = steering.submit(before, TEN + MINUTE)
        assert (after.status, after.ended_at, after.ended_by) == (Status.SUBMITTED, TEN + MINUTE, "staff")
        assert after.paused_at is None

    def test_a_void_one_is_refused(self) -> None:
        with pytest.raises(Refused):
            steering.submit(voided(), TEN)


class TestResumeBeforePause:
    def test_an_order_that_arrived_before_the_pause_ends_it_and_gives_no_time(self) -> None:
        before = paused(TEN + 60 * MINUTE)
        after = steering.resume(before, TEN + 59 * MINUTE)
        assert (after.status, after.deadline_at) == (Status.IN_PROGRESS, NOON)
        assert after.given == (Given(Kind.PAUSE, TEN + 60 * MINUTE, timedelta()),)


class TestReopen:
    @pytest.mark.parametrize(
        "before", [ended("candidate", NOON - 30 * MINUTE), voided(at=NOON - 30 * MINUTE)]
    )
    def test_it_goes_on_with_what_was_left(self, before: AttemptState) -> None:
        after = steering.reopen(before, NOON + 60 * MINUTE)
        assert after.status is Status.IN_PROGRESS
        assert after.deadline_at - (NOON + 60 * MINUTE) == 30 * MINUTE

    def test_where_no_time_was_left_some_must_be_given(self) -> None:
        with pytest.raises(Refused, match="seconds"):
            steering.reopen(ended("deadline"), NOON + 60 * MINUTE)
        after = steering.reopen(ended("deadline"), NOON + 60 * MINUTE, 10 * MINUTE)
        assert after.deadline_at == NOON + 70 * MINUTE

    @pytest.mark.parametrize("by", ["candidate", "deadline"])
    def test_of_a_void_one_that_was_over_only_the_voiding_is_taken_back(self, by: str) -> None:
        before = ended(by)
        assert steering.reopen(steering.void(before, NOON + MINUTE), NOON + 90 * MINUTE) == before

    @pytest.mark.parametrize("before", [running(), paused()])
    def test_what_runs_is_left_alone(self, before: AttemptState) -> None:
        assert steering.reopen(before, TEN) == before

    def test_an_order_that_arrived_before_the_end_gives_the_time_that_was_left(self) -> None:
        before = ended("candidate", NOON - 30 * MINUTE)
        after = steering.reopen(before, NOON - 31 * MINUTE, 5 * MINUTE)
        assert after.deadline_at == NOON + 5 * MINUTE
        assert all(each.length >= timedelta() for each in after.given)


class TestVoid:
    @pytest.mark.parametrize("before", [running(), paused(), ended("candidate"), ended("deadline")])
    def test_whatever_it_was_it_is_void(self, before: AttemptState) -> None:
        assert steering.void(before, TEN).status is Status.VOID

    def test_again_changes_nothing(self) -> None:
        once = steering.void(running(), TEN)
        assert steering.void(once, TEN + MINUTE) == once


Step = tuple[str, int]
steps = st.lists(
    st.tuples(
        st.sampled_from(["extend", "pause", "resume", "submit", "reopen", "void"]), st.integers(1, 3600)
    ),
    max_size=12,
)


def apply(state: AttemptState, step: Step, now: datetime) -> AttemptState:
    name, seconds = step
    if name == "extend":
        return steering.extend(state, timedelta(seconds=seconds), now)
    if name == "reopen":
        return steering.reopen(state, now, timedelta(seconds=seconds))
    return getattr(steering, name)(state, now)  # type: ignore[no-any-return]


class TestWhateverStaffDo:
    @given(steps)
    def test_the_deadline_is_the_first_one_and_what_was_given(self, orders: list[Step]) -> None:
        state, now = running(), TEN
        for step in orders:
            now += timedelta(seconds=step[1])
            try:
                state = apply(steering.ended_by_deadline(state, now, GRACE), step, now)
            except Refused:
                continue
        assert state.deadline_at == NOON + sum((each.length for each in state.given), timedelta())

    @given(steps)
    def test_an_end_is_known_exactly_when_it_is_over(self, orders: list[Step]) -> None:
        state, now = running(), TEN
        for step in orders:
            now += timedelta(seconds=step[1])
            try:
                state = apply(steering.ended_by_deadline(state, now, GRACE), step, now)
            except Refused:
                continue
            is_over = state.status in (Status.SUBMITTED, Status.VOID)
            assert (state.ended_at is not None, state.ended_by is not None) == (is_over, is_over)
            assert (state.paused_at is not None) == (state.status is Status.PAUSED)

    @given(steps)
    def test_nobody_loses_time_but_by_being_ended(self, orders: list[Step]) -> None:
        """Time that runs while a candidate may work is never more than what was granted."""
        state, now, worked, granted = running(), TEN, timedelta(), NOON - TEN
        for step in orders:
            before = now
            now += timedelta(seconds=step[1])
            if state.status is Status.IN_PROGRESS:
                worked += max(min(now, state.deadline_at) - before, timedelta())
            try:
                after = apply(steering.ended_by_deadline(state, now, GRACE), step, now)
            except Refused:
                state = steering.ended_by_deadline(state, now, GRACE)
                continue
            extensions = [g for g in after.given[len(state.given) :] if g.kind is Kind.EXTENSION]
            granted += sum((each.length for each in extensions), timedelta())
            state = after
        assert worked <= granted
