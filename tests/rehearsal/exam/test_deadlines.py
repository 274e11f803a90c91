"""The reference for deadlines."""

from datetime import UTC, datetime, timedelta

import pytest

from rehearsal.exam.deadlines import AttemptTimes, DeadlineRange, Grant, StaffAction, deadline

NOON = datetime(2027, 5, 23, 12, tzinfo=UTC)
SAT = AttemptTimes("one", NOON, None)
FAR = NOON + timedelta(hours=9)


def moment(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def action(verb: str, asked: float, done: float | None = None, seconds: int = 0) -> StaffAction:
    return StaffAction(verb, "one", seconds, moment(asked), moment(done if done is not None else asked))


def grant(seconds: int, *, number: int | None = None, group: str | None = None, at: float = -60) -> Grant:
    return Grant(number, group, seconds, moment(at), moment(at + 1))


class TestDeadline:
    def test_it_is_the_start_and_the_duration(self) -> None:
        assert deadline(SAT, 600, FAR, [], []) == DeadlineRange(moment(600), moment(600))

    def test_the_window_ends_it_and_extra_time_goes_beyond(self) -> None:
        span = deadline(SAT, 600, moment(500), [grant(60, group="pwbd")], [action("extend", 100, seconds=30)])

        assert span == DeadlineRange(moment(590), moment(590))

    @pytest.mark.parametrize(
        ("grants", "seconds"),
        [
            ([grant(60, group="pwbd")], 60),
            ([grant(60, group="pwbd"), grant(90, group="all")], 90),
            ([grant(60, group="pwbd"), grant(20, number=7)], 20),
            ([grant(20, number=7), grant(30, number=7)], 30),
        ],
    )
    def test_an_own_grant_replaces_the_longest_group_grant(self, grants: list[Grant], seconds: int) -> None:
        assert deadline(SAT, 600, FAR, grants, []).latest == moment(600 + seconds)

    def test_a_grant_does_not_change_an_attempt_that_is_over(self) -> None:
        over = AttemptTimes("one", NOON, moment(100), moment(100))

        assert deadline(over, 600, FAR, [grant(60, number=7, at=200)], []).latest == moment(600)

    def test_a_grant_at_the_end_may_apply_or_not(self) -> None:
        over = AttemptTimes("one", NOON, moment(200.5), moment(200.5))

        assert deadline(over, 600, FAR, [grant(60, number=7, at=200)], []) == DeadlineRange(
            moment(600), moment(660)
        )

    @pytest.mark.parametrize(
        ("granted", "latest"),
        [
            (590, 660),  # before the deadline
            (605, 660),  # after it, while the server waits for answers that are on their way
            (620, 600),  # after the server has closed the attempt
        ],
    )
    def test_a_grant_after_the_deadline_applies_until_the_attempt_is_closed(
        self, granted: float, latest: float
    ) -> None:
        over = AttemptTimes("one", NOON, moment(600), moment(615))

        span = deadline(over, 600, FAR, [grant(60, number=7, at=granted)], [])

        assert span.latest == moment(latest)

    @pytest.mark.parametrize(
        ("stop", "go_on"), [("pause", "resume"), ("submit", "reopen"), ("void", "reopen")]
    )
    def test_time_stands_still_from_one_action_to_the_other(self, stop: str, go_on: str) -> None:
        actions = [action(go_on, 160, 163), action(stop, 100, 102)]

        assert deadline(SAT, 600, FAR, [], actions) == DeadlineRange(moment(658), moment(663))

    def test_a_pause_without_a_resume_adds_nothing(self) -> None:
        assert deadline(SAT, 600, FAR, [], [action("pause", 100)]).latest == moment(600)


class TestContains:
    @pytest.mark.parametrize(("seconds", "is_in"), [(-1.1, False), (-0.9, True), (0, True), (1.1, False)])
    def test_to_the_second(self, seconds: float, is_in: bool) -> None:
        assert DeadlineRange(NOON, NOON).contains(moment(seconds)) is is_in
