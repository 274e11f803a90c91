"""Steering as tables: what each step makes of each state, and what must hold whatever staff do."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.engine import steering
from app.engine.steering import (
    AdditionKind,
    AlreadyDone,
    AttemptState,
    Status,
    TimeAddition,
    TransitionRefused,
)

TEN = datetime(2026, 11, 26, 4, 30, tzinfo=UTC)
MINUTE, GRACE = timedelta(minutes=1), timedelta(seconds=10)
NOON = TEN + 120 * MINUTE  # the deadline


def running(**changes: object) -> AttemptState:
    return AttemptState(**({"status": Status.IN_PROGRESS, "deadline_at": NOON} | changes))  # type: ignore[arg-type]


def paused(at: datetime = TEN + 60 * MINUTE) -> AttemptState:
    return running(status=Status.PAUSED, paused_at=at)


def ended(by: str, at: datetime = NOON) -> AttemptState:
    return running(status=Status.SUBMITTED, ended_at=at, ended_by=by)


def voided(at: datetime = TEN + 60 * MINUTE) -> AttemptState:
    return steering.void(running(), at)


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
        assert steering.end_if_overdue(state, now, GRACE).status is status

    def test_it_ended_at_its_deadline_whenever_that_is_noticed(self) -> None:
        over = steering.end_if_overdue(running(), NOON + 30 * MINUTE, GRACE)
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
        assert after.given == (TimeAddition(AdditionKind.EXTENSION, NOON, 10 * MINUTE),)

    @pytest.mark.parametrize("late_by", [10 * MINUTE, 11 * MINUTE])
    def test_an_extension_that_would_be_over_is_refused(self, late_by: timedelta) -> None:
        with pytest.raises(TransitionRefused, match="Extend by more"):
            steering.extend(ended("deadline"), 10 * MINUTE, NOON + late_by)

    @pytest.mark.parametrize("before", [ended("candidate"), ended("staff"), voided()])
    def test_what_somebody_ended_stays_so(self, before: AttemptState) -> None:
        with pytest.raises(TransitionRefused):
            steering.extend(before, 10 * MINUTE, TEN + 90 * MINUTE)

    @pytest.mark.parametrize(
        ("by", "request_key", "later"),
        [
            (2 * MINUTE, "power cut", timedelta()),
            (MINUTE, "siren", timedelta()),
            (MINUTE, "power cut", steering.REPEATED_WITHIN + timedelta(microseconds=1)),
        ],
    )
    def test_another_extension_adds_up(self, by: timedelta, request_key: str, later: timedelta) -> None:
        once = steering.extend(running(), MINUTE, TEN, "power cut")
        assert steering.extend(once, by, TEN + later, request_key).deadline_at == NOON + MINUTE + by

    @pytest.mark.parametrize("later", [timedelta(), steering.REPEATED_WITHIN, -steering.REPEATED_WITHIN])
    def test_the_same_extension_soon_after_adds_nothing(self, later: timedelta) -> None:
        once = steering.extend(running(), MINUTE, TEN, "power cut")
        with pytest.raises(AlreadyDone, match="again"):
            steering.extend(once, MINUTE, TEN + later, "power cut")
        again = steering.extend(once, MINUTE, TEN + later, "power cut", again=True)
        assert again.deadline_at == NOON + 2 * MINUTE


class TestRegrant:
    @pytest.mark.parametrize("minutes", [-30, 30])
    @pytest.mark.parametrize("before", [running(), paused()])
    def test_it_moves_the_deadline_of_who_sits(self, before: AttemptState, minutes: int) -> None:
        after = steering.change_extra_time(before, minutes * MINUTE, TEN)
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
        after = steering.change_extra_time(before, -30 * MINUTE, now)
        assert (after.status, after.deadline_at) == (before.status, deadline)

    def test_what_the_clock_ended_goes_on_if_there_is_time(self) -> None:
        assert (
            steering.change_extra_time(ended("deadline"), 30 * MINUTE, NOON + MINUTE).status
            is Status.IN_PROGRESS
        )
        assert steering.change_extra_time(ended("deadline"), 30 * MINUTE, NOON + 30 * MINUTE) == ended(
            "deadline"
        )

    @pytest.mark.parametrize("before", [ended("candidate"), ended("staff"), voided()])
    def test_what_somebody_ended_is_left_alone(self, before: AttemptState) -> None:
        assert steering.change_extra_time(before, 30 * MINUTE, TEN) == before


class TestPauseAndResume:
    def test_who_resumes_has_what_was_left(self) -> None:
        stopped = steering.pause(running(), TEN + 60 * MINUTE)
        after = steering.resume(stopped, TEN + 75 * MINUTE)
        assert after.deadline_at - (TEN + 75 * MINUTE) == 60 * MINUTE
        assert after.given == (TimeAddition(AdditionKind.PAUSE, TEN + 60 * MINUTE, 15 * MINUTE),)

    def test_a_pause_goes_over_the_deadline(self) -> None:
        stopped = steering.pause(running(), NOON - MINUTE)
        after = steering.resume(
            steering.end_if_overdue(stopped, NOON + 600 * MINUTE, GRACE), NOON + 600 * MINUTE
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
        with pytest.raises(TransitionRefused):
            step(state, NOON)


class TestSubmit:
    @pytest.mark.parametrize("before", [running(), paused()])
    def test_staff_end_it_now(self, before: AttemptState) -> None:
        after = steering.submit(before, TEN + MINUTE)
        assert (after.status, after.ended_at, after.ended_by) == (Status.SUBMITTED, TEN + MINUTE, "staff")
        assert after.paused_at == before.paused_at

    def test_a_void_one_is_refused(self) -> None:
        with pytest.raises(TransitionRefused):
            steering.submit(voided(), TEN)


class TestResumeBeforePause:
    def test_an_order_that_arrived_before_the_pause_ends_it_and_gives_no_time(self) -> None:
        before = paused(TEN + 60 * MINUTE)
        after = steering.resume(before, TEN + 59 * MINUTE)
        assert (after.status, after.deadline_at) == (Status.IN_PROGRESS, NOON)
        assert after.given == (TimeAddition(AdditionKind.PAUSE, TEN + 60 * MINUTE, timedelta()),)


class TestReopen:
    @pytest.mark.parametrize(
        "before", [ended("candidate", NOON - 30 * MINUTE), voided(at=NOON - 30 * MINUTE)]
    )
    def test_it_goes_on_with_what_was_left(self, before: AttemptState) -> None:
        after = steering.reopen(before, NOON + 60 * MINUTE)
        assert after.status is Status.IN_PROGRESS
        assert after.deadline_at - (NOON + 60 * MINUTE) == 30 * MINUTE

    def test_where_no_time_was_left_some_must_be_given(self) -> None:
        with pytest.raises(TransitionRefused, match="seconds"):
            steering.reopen(ended("deadline"), NOON + 60 * MINUTE)
        after = steering.reopen(ended("deadline"), NOON + 60 * MINUTE, 10 * MINUTE)
        assert after.deadline_at == NOON + 70 * MINUTE

    @pytest.mark.parametrize("by", ["candidate", "deadline"])
    def test_of_a_void_one_that_was_over_only_the_voiding_is_taken_back(self, by: str) -> None:
        before = ended(by)
        back = steering.reopen(steering.void(before, NOON + MINUTE), NOON + 90 * MINUTE)
        assert replace(back, voided_from=None) == before
        with pytest.raises(AlreadyDone, match="go_on"):
            steering.reopen(back, NOON + 90 * MINUTE)

    def test_seconds_for_a_void_one_that_was_over_need_go_on(self) -> None:
        before = steering.void(ended("candidate", NOON - 30 * MINUTE), NOON)
        with pytest.raises(TransitionRefused, match="go_on"):
            steering.reopen(before, NOON, MINUTE)
        assert steering.time_left(steering.reopen(before, NOON, MINUTE, go_on=True), NOON) == 31 * MINUTE

    def test_of_one_that_was_paused_gives_what_was_left_at_the_pause(self) -> None:
        over = steering.submit(paused(NOON - 30 * MINUTE), NOON - 10 * MINUTE)
        after = steering.reopen(over, NOON + 60 * MINUTE)
        assert steering.time_left(after, NOON + 60 * MINUTE) == 30 * MINUTE
        assert [each.kind for each in after.given] == [AdditionKind.PAUSE, AdditionKind.REOPENING]

    def test_of_a_void_one_that_was_paused_gives_the_pause_back(self) -> None:
        before = paused(NOON - 30 * MINUTE)
        assert steering.reopen(steering.void(before, NOON + 60 * MINUTE), NOON + 90 * MINUTE) == before

    def test_a_grant_that_was_given_meanwhile_counts(self) -> None:
        before = ended("staff", NOON - 30 * MINUTE)
        after = steering.reopen(before, NOON, extra=5 * MINUTE)
        assert (steering.time_left(after, NOON), after.extra) == (35 * MINUTE, 5 * MINUTE)

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


class Doer:
    """Takes drawn steps one after the other, and counts beside them what the candidate has left."""

    def __init__(self) -> None:
        self.state, self.now = running(), TEN
        self.left = NOON - TEN

    def take(self, name: str, wait: int, length: timedelta) -> None:
        """Wait, and take a step. Time runs only in progress; steps add what they say they add."""
        before, self.now = self.state, self.now + timedelta(seconds=wait)
        if before.status is Status.IN_PROGRESS:
            self.left -= timedelta(seconds=wait)
        self.state = steering.end_if_overdue(before, self.now, GRACE)
        over_by = self.now - self.state.deadline_at
        if before.status is Status.IN_PROGRESS and self.state.status is Status.SUBMITTED:
            self.left = timedelta()
        had_ended = self.state.ended_by == "deadline" and self.state.status is Status.SUBMITTED
        extra = self.state.extra
        try:
            self.state = STEPS[name](self.state, self.now, length)
        except (TransitionRefused, AlreadyDone):
            return
        self.left += self.state.extra - extra
        added = self.state.given[len(before.given) :]
        self.left += sum((each.length for each in added if each.kind is AdditionKind.EXTENSION), timedelta())
        if had_ended and self.state.status is Status.IN_PROGRESS and name in ("extend", "grant"):
            self.left -= over_by  # An extension and a grant count from the deadline.


STEPS: dict[str, Callable[[AttemptState, datetime, timedelta], AttemptState]] = {
    "extend": lambda state, now, by: steering.extend(state, by, now, "key"),
    "pause": lambda state, now, _: steering.pause(state, now),
    "resume": lambda state, now, _: steering.resume(state, now),
    "submit": lambda state, now, _: steering.submit(state, now),
    "reopen": lambda state, now, _: steering.reopen(state, now),
    "reopen with seconds": steering.reopen,
    "go on": lambda state, now, by: steering.reopen(state, now, by, go_on=True),
    "reopen under another grant": lambda state, now, by: steering.reopen(state, now, extra=by),
    "void": lambda state, now, _: steering.void(state, now),
    "sweep": lambda state, _, __: state,
    "hand in": lambda state, now, _: steering.submit_by_candidate(state, now, GRACE),
    "grant": lambda state, now, by: steering.change_extra_time(state, by - state.extra, now),
}
steps = st.lists(
    st.tuples(
        st.sampled_from(sorted(STEPS)),
        st.integers(0, 3600),
        st.integers(0, 3600).map(lambda seconds: timedelta(seconds=seconds)),
    ),
    max_size=14,
)


class TestWhateverIsDone:
    @given(steps)
    def test_time_left_is_conserved_to_the_second(self, drawn: list[tuple[str, int, timedelta]]) -> None:
        doer = Doer()
        for step in drawn:
            doer.take(*step)
            assert steering.time_left(doer.state, doer.now) == max(doer.left, timedelta()), step

    @given(steps)
    def test_the_deadline_is_the_first_one_and_what_was_given(
        self, drawn: list[tuple[str, int, timedelta]]
    ) -> None:
        doer = Doer()
        for step in drawn:
            doer.take(*step)
            given = sum((each.length for each in doer.state.given), timedelta())
            assert doer.state.deadline_at == NOON + doer.state.extra + given
            assert all(each.length >= timedelta() for each in doer.state.given)

    @given(steps)
    def test_the_state_has_one_shape(self, drawn: list[tuple[str, int, timedelta]]) -> None:
        doer = Doer()
        for step in drawn:
            doer.take(*step)
            state = doer.state
            is_over = state.status in (Status.SUBMITTED, Status.VOID)
            assert (state.ended_at is not None, state.ended_by is not None) == (is_over, is_over)
            assert state.paused_at is not None or state.status is not Status.PAUSED
            assert state.paused_at is None or state.status is not Status.IN_PROGRESS
            assert state.voided_from is not None or state.status is not Status.VOID
            assert state.voided_from is None or is_over

    @given(steps)
    def test_each_step_twice_is_the_step_once(self, drawn: list[tuple[str, int, timedelta]]) -> None:
        doer = Doer()
        for name, wait, length in drawn:
            doer.take(name, wait, length)
            once = doer.state
            doer.take(name, 0, length)
            assert doer.state == once, name
