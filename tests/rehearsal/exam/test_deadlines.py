"""Deadlines computed apart from the server."""

from datetime import UTC, datetime, timedelta

import pytest

from rehearsal.exam.deadlines import Grant, Order, Sat, Span, deadline

NOON = datetime(2027, 5, 23, 12, tzinfo=UTC)
SAT = Sat("one", NOON, None)
FAR = NOON + timedelta(hours=9)


def moment(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def order(verb: str, asked: float, done: float | None = None, seconds: int = 0) -> Order:
    return Order(verb, "one", seconds, moment(asked), moment(done if done is not None else asked))


def grant(seconds: int, *, number: int | None = None, group: str | None = None, at: float = -60) -> Grant:
    return Grant(number, group, seconds, moment(at), moment(at + 1))


class TestDeadline:
    def test_it_is_the_start_and_the_duration(self) -> None:
        assert deadline(SAT, 600, FAR, [], []) == Span(moment(600), moment(600))

    def test_the_window_ends_it_and_extra_time_goes_beyond(self) -> None:
        span = deadline(SAT, 600, moment(500), [grant(60, group="pwbd")], [order("extend", 100, seconds=30)])

        assert span == Span(moment(590), moment(590))

    @pytest.mark.parametrize(
        ("grants", "seconds"),
        [
            ([grant(60, group="pwbd")], 60),
            ([grant(60, group="pwbd"), grant(90, group="all")], 90),
            ([grant(60, group="pwbd"), grant(20, number=7)], 20),
            ([grant(20, number=7), grant(30, number=7)], 30),
        ],
    )
    def test_ones_own_grant_beats_the_longest_of_ones_groups(self, grants: list[Grant], seconds: int) -> None:
        assert deadline(SAT, 600, FAR, grants, []).latest == moment(600 + seconds)

    def test_a_grant_does_not_move_what_was_over(self) -> None:
        over = Sat("one", NOON, moment(100))

        assert deadline(over, 600, FAR, [grant(60, number=7, at=200)], []).latest == moment(600)

    def test_one_that_was_given_at_the_end_may_have_come_before_or_after_it(self) -> None:
        over = Sat("one", NOON, moment(200.5))

        assert deadline(over, 600, FAR, [grant(60, number=7, at=200)], []) == Span(moment(600), moment(660))

    def test_a_pause_lasts_as_long_as_between_two_answers_or_two_questions(self) -> None:
        orders = [order("resume", 160, 163), order("pause", 100, 102)]

        assert deadline(SAT, 600, FAR, [], orders) == Span(moment(658), moment(663))

    def test_what_was_never_resumed_gives_nothing(self) -> None:
        assert deadline(SAT, 600, FAR, [], [order("pause", 100)]).latest == moment(600)


class TestHolds:
    @pytest.mark.parametrize(("seconds", "holds"), [(-1.1, False), (-0.9, True), (0, True), (1.1, False)])
    def test_to_the_second(self, seconds: float, holds: bool) -> None:
        assert Span(NOON, NOON).holds(moment(seconds)) is holds
