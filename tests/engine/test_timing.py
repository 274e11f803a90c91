"""The rules of exam time as tables of cases; 10:00 is the start of a two-hour paper."""

from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.engine.timing import (
    Addition,
    Arrival,
    SectionTime,
    SectionWindow,
    arrival,
    deadline,
    is_open,
    remaining_seconds,
    resumed_deadline,
    section_windows,
)

INDIA = timezone(timedelta(hours=5, minutes=30))
BERLIN = ZoneInfo("Europe/Berlin")
NAIVE = datetime(2026, 5, 24, 10, 0)  # noqa: DTZ001
TWO_HOURS = timedelta(hours=2)
GRACE = timedelta(seconds=10)

moments = st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1), timezones=st.sampled_from([UTC, BERLIN]))  # noqa: DTZ001
lengths = st.timedeltas(timedelta(), timedelta(days=1))


def at(clock: str) -> datetime:
    return datetime.fromisoformat(f"2026-05-24T{clock}+00:00")


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


class TestDeadline:
    @pytest.mark.parametrize(
        ("started", "ends", "extra", "paused", "expected"),
        [
            pytest.param("10:00", None, 0, 0, "12:00", id="no window"),
            pytest.param("10:00", "12:30", 0, 0, "12:00", id="window longer than the duration"),
            pytest.param("10:00", "12:00", 0, 0, "12:00", id="window as long as the duration"),
            pytest.param("10:00", "11:00", 0, 0, "11:00", id="window shorter than the duration"),
            pytest.param("09:50", "12:30", 0, 0, "11:50", id="starts early"),
            pytest.param("10:29", "12:30", 0, 0, "12:29", id="starts late, still in full"),
            pytest.param("10:31", "12:30", 0, 0, "12:30", id="starts too late for the full duration"),
            pytest.param("12:29:59", "12:30", 0, 0, "12:30", id="starts in the last second"),
            pytest.param("10:00", "12:00", 40, 0, "12:40", id="extra time goes beyond the window"),
            pytest.param("11:00", "12:00", 40, 0, "12:40", id="extra time after a late start"),
            pytest.param("10:00", None, 40, 0, "12:40", id="extra time without a window"),
            pytest.param("10:00", "12:00", 0, 15, "12:15", id="a pause goes beyond the window"),
            pytest.param("11:00", "12:00", 40, 15, "12:55", id="extra time and a pause add up"),
        ],
    )
    def test_cases(self, started: str, ends: str | None, extra: float, paused: float, expected: str) -> None:
        ends_at = at(ends) if ends else None
        assert deadline(at(started), TWO_HOURS, ends_at, minutes(extra), minutes(paused)) == at(expected)

    def test_zones_that_name_the_same_moments_give_the_same_deadline(self) -> None:
        ends_at = at("11:30")
        for zone in (INDIA, BERLIN):
            found = deadline(at("10:00").astimezone(zone), TWO_HOURS, ends_at.astimezone(zone))
            assert found == ends_at
            assert found.tzinfo is UTC

    def test_a_clock_change_makes_nobody_win_or_lose_an_hour(self) -> None:
        before_the_change = datetime(2026, 3, 29, 1, 30, tzinfo=BERLIN)
        found = deadline(before_the_change, TWO_HOURS, None)
        assert found == datetime(2026, 3, 29, 2, 30, tzinfo=UTC)

    @pytest.mark.parametrize(("started", "ends"), [(NAIVE, None), (NAIVE, NAIVE), (at("10:00"), NAIVE)])
    def test_refuses_a_naive_moment(self, started: datetime, ends: datetime | None) -> None:
        with pytest.raises(ValueError, match="time zone"):
            deadline(started, TWO_HOURS, ends)

    @pytest.mark.parametrize("duration", [timedelta(), -TWO_HOURS])
    def test_refuses_a_duration_that_is_not_positive(self, duration: timedelta) -> None:
        with pytest.raises(ValueError, match="positive"):
            deadline(at("10:00"), duration, None)

    @pytest.mark.parametrize(("extra", "paused"), [(-1, 0), (0, -1)])
    def test_refuses_negative_additions(self, extra: float, paused: float) -> None:
        with pytest.raises(ValueError, match="negative"):
            deadline(at("10:00"), TWO_HOURS, None, minutes(extra), minutes(paused))

    @given(moments, moments, lengths, lengths)
    def test_extra_time_moves_it_by_just_that(
        self, started: datetime, ends: datetime, extra: timedelta, more: timedelta
    ) -> None:
        before = deadline(started, TWO_HOURS, ends, extra)
        assert deadline(started, TWO_HOURS, ends, extra + more) - before == more


class TestResumedDeadline:
    @pytest.mark.parametrize(
        ("paused", "resumed", "expected"),
        [
            pytest.param("10:30", "10:45", "12:15", id="a pause in the middle"),
            pytest.param("11:50", "12:30", "12:40", id="a pause over the deadline"),
            pytest.param("12:00", "13:00", "13:00", id="a pause at the deadline leaves nothing"),
            pytest.param("12:01", "13:00", "12:59", id="a pause after it revives nothing"),
            pytest.param("10:30", "10:30", "12:00", id="no time at all"),
        ],
    )
    def test_cases(self, paused: str, resumed: str, expected: str) -> None:
        assert resumed_deadline(at("12:00"), at(paused), at(resumed)) == at(expected)

    def test_refuses_a_pause_that_ends_before_it_began(self) -> None:
        with pytest.raises(ValueError, match="negative"):
            resumed_deadline(at("12:00"), at("10:30"), at("10:29"))

    @pytest.mark.parametrize("position", range(3))
    def test_refuses_a_naive_moment(self, position: int) -> None:
        moments = [at("12:00"), at("10:30"), at("10:45")]
        moments[position] = NAIVE
        with pytest.raises(ValueError, match="time zone"):
            resumed_deadline(*moments)

    @given(moments, lengths, lengths)
    def test_equals_the_deadline_recomputed_with_the_pause(
        self, started: datetime, into: timedelta, pause: timedelta
    ) -> None:
        paused_at = started.astimezone(UTC) + into
        resumed = resumed_deadline(deadline(started, TWO_HOURS, None), paused_at, paused_at + pause)
        assert resumed == deadline(started, TWO_HOURS, None, paused=pause)


class TestRemainingSeconds:
    @pytest.mark.parametrize(
        ("now", "seconds"),
        [
            ("10:00", 7200),
            ("10:00:00.000001", 7199),
            ("11:59:59", 1),
            ("11:59:59.000001", 0),
            ("12:00", 0),
            ("12:00:00.000001", 0),
            ("13:00", 0),
        ],
    )
    def test_rounds_down_and_ends_at_zero(self, now: str, seconds: int) -> None:
        assert remaining_seconds(at(now), at("12:00")) == seconds

    def test_counts_real_seconds_over_a_clock_change(self) -> None:
        now, end = (datetime(2026, 3, 29, hour, 30, tzinfo=BERLIN) for hour in (1, 4))
        assert remaining_seconds(now, end) == 7200

    @pytest.mark.parametrize(("now", "end"), [(NAIVE, at("12:00")), (at("10:00"), NAIVE), (NAIVE, NAIVE)])
    def test_refuses_a_naive_moment(self, now: datetime, end: datetime) -> None:
        with pytest.raises(ValueError, match="time zone"):
            remaining_seconds(now, end)


class TestArrival:
    @pytest.mark.parametrize(
        ("now", "expected"),
        [
            ("09:00", Arrival.IN_TIME),
            ("11:59:59.999999", Arrival.IN_TIME),
            ("12:00", Arrival.IN_TIME),
            ("12:00:00.000001", Arrival.IN_GRACE),
            ("12:00:10", Arrival.IN_GRACE),
            ("12:00:10.000001", Arrival.LATE),
            ("15:00", Arrival.LATE),
        ],
    )
    def test_cases(self, now: str, expected: Arrival) -> None:
        assert arrival(at(now), at("12:00"), GRACE) is expected
        assert arrival(at(now).astimezone(INDIA), at("12:00"), GRACE) is expected

    def test_without_grace_there_is_none(self) -> None:
        assert arrival(at("12:00:00.000001"), at("12:00"), timedelta()) is Arrival.LATE

    def test_refuses_a_negative_grace(self) -> None:
        with pytest.raises(ValueError, match="negative"):
            arrival(at("12:00"), at("12:00"), -GRACE)

    def test_refuses_a_naive_moment(self) -> None:
        with pytest.raises(ValueError, match="time zone"):
            arrival(NAIVE, NAIVE, GRACE)


class TestIsOpen:
    @pytest.mark.parametrize(
        ("now", "since", "until", "expected"),
        [
            ("09:59:59.999999", "10:00", "12:00", False),
            ("10:00", "10:00", "12:00", True),
            ("11:59:59.999999", "10:00", "12:00", True),
            ("12:00", "10:00", "12:00", False),
            ("10:00", None, None, True),
            ("13:00", "10:00", None, True),
            ("09:00", "10:00", None, False),
            ("09:00", None, "12:00", True),
            ("12:00", None, "12:00", False),
        ],
    )
    def test_cases(self, now: str, since: str | None, until: str | None, expected: bool) -> None:
        assert is_open(at(now), at(since) if since else None, at(until) if until else None) is expected

    @pytest.mark.parametrize(("since", "until"), [(NAIVE, None), (None, NAIVE)])
    def test_refuses_a_naive_moment(self, since: datetime | None, until: datetime | None) -> None:
        with pytest.raises(ValueError, match="time zone"):
            is_open(at("10:00"), since, until)


class TestSectionWindows:
    FIRST, SECOND, THIRD = (UUID(int=n) for n in range(1, 4))

    def test_run_one_after_the_other(self) -> None:
        sections = [SectionTime(self.FIRST, minutes(40)), SectionTime(self.SECOND, minutes(80), locked=False)]
        assert section_windows(at("10:00").astimezone(INDIA), sections) == [
            SectionWindow(self.FIRST, at("10:00"), at("10:40"), locked=True),
            SectionWindow(self.SECOND, at("10:40"), at("12:00"), locked=False),
        ]

    def test_a_section_without_a_time_takes_none(self) -> None:
        sections = [
            SectionTime(self.FIRST, minutes(40)),
            SectionTime(self.SECOND, None),
            SectionTime(self.THIRD, minutes(20)),
        ]
        windows = section_windows(at("10:00"), sections)
        assert [(window.section_id, window.opens_at) for window in windows] == [
            (self.FIRST, at("10:00")),
            (self.THIRD, at("10:40")),
        ]

    @pytest.mark.parametrize("sections", [[], [SectionTime(FIRST, None)]])
    def test_nothing_timed_gives_no_windows(self, sections: list[SectionTime]) -> None:
        assert section_windows(at("10:00"), sections, minutes(30)) == []

    def test_extra_time_is_shared_in_proportion(self) -> None:
        sections = [SectionTime(self.FIRST, minutes(40)), SectionTime(self.SECOND, minutes(80))]
        windows = section_windows(at("10:00"), sections, minutes(30))
        assert [window.deadline_at for window in windows] == [at("10:50"), at("12:30")]

    def test_refuses_a_section_of_no_length(self) -> None:
        with pytest.raises(ValueError, match="positive"):
            section_windows(at("10:00"), [SectionTime(self.FIRST, timedelta())])

    def test_refuses_negative_extra_time(self) -> None:
        with pytest.raises(ValueError, match="negative"):
            section_windows(at("10:00"), [SectionTime(self.FIRST, minutes(40))], -minutes(1))

    def test_refuses_a_naive_start(self) -> None:
        with pytest.raises(ValueError, match="time zone"):
            section_windows(NAIVE, [])

    @given(st.lists(st.timedeltas(timedelta(seconds=1), TWO_HOURS), min_size=1, max_size=6), lengths)
    def test_no_gap_no_overlap_and_nothing_lost(self, durations: list[timedelta], extra: timedelta) -> None:
        sections = [SectionTime(UUID(int=n), duration) for n, duration in enumerate(durations)]
        windows = section_windows(at("10:00"), sections, extra)
        assert [window.opens_at for window in windows[1:]] == [window.deadline_at for window in windows[:-1]]
        assert windows[-1].deadline_at == at("10:00") + sum(durations, timedelta()) + extra
        for window, duration in zip(windows, durations, strict=True):
            assert window.deadline_at - window.opens_at >= duration


class TestAdditions:
    """Three sections of half an hour from 10:00, and time that is given while they run."""

    SECTIONS = tuple(SectionTime(UUID(int=number), minutes(30)) for number in (1, 2, 3))

    @pytest.mark.parametrize(
        ("given", "expected"),
        [
            pytest.param([("10:10", 5)], ["10:00-10:35", "10:35-11:05", "11:05-11:35"], id="in the first"),
            pytest.param([("10:40", 5)], ["10:00-10:30", "10:30-11:05", "11:05-11:35"], id="in the second"),
            pytest.param([("11:20", 5)], ["10:00-10:30", "10:30-11:00", "11:00-11:35"], id="in the last"),
            pytest.param([("12:00", 5)], ["10:00-10:30", "10:30-11:00", "11:00-11:35"], id="after all"),
            pytest.param([("10:30", 5)], ["10:00-10:35", "10:35-11:05", "11:05-11:35"], id="at an end"),
            pytest.param(
                [("10:10", 5), ("10:40", 5)],
                ["10:00-10:35", "10:35-11:10", "11:10-11:40"],
                id="twice, the second after the first has moved it",
            ),
            pytest.param(
                [("10:40", 5), ("10:10", 5)],
                ["10:00-10:35", "10:35-11:10", "11:10-11:40"],
                id="in whatever order they are told",
            ),
            pytest.param([("10:10", 0)], ["10:00-10:30", "10:30-11:00", "11:00-11:30"], id="nothing"),
        ],
    )
    def test_it_lengthens_the_section_that_runs(
        self, given: list[tuple[str, float]], expected: list[str]
    ) -> None:
        additions = [Addition(at(clock), minutes(length)) for clock, length in given]
        windows = section_windows(at("10:00"), self.SECTIONS, additions=additions)
        assert [f"{w.opens_at:%H:%M}-{w.deadline_at:%H:%M}" for w in windows] == expected

    def test_extra_time_that_is_known_at_the_start_is_shared_all_the_same(self) -> None:
        windows = section_windows(
            at("10:00"), self.SECTIONS, minutes(30), [Addition(at("10:45"), minutes(5))]
        )
        assert [f"{w.deadline_at:%H:%M}" for w in windows] == ["10:40", "11:25", "12:05"]

    def test_without_timed_sections_there_is_nothing_to_lengthen(self) -> None:
        untimed = [SectionTime(UUID(int=1), None)]
        assert section_windows(at("10:00"), untimed, additions=[Addition(at("10:10"), minutes(5))]) == []

    @given(st.lists(st.tuples(st.integers(0, 200), st.integers(0, 60)), max_size=6))
    def test_nothing_is_lost_and_the_windows_stay_a_chain(self, given: list[tuple[int, int]]) -> None:
        additions = [Addition(at("10:00") + minutes(start), minutes(length)) for start, length in given]
        windows = section_windows(at("10:00"), self.SECTIONS, additions=additions)
        total = sum(length for _, length in given)
        assert windows[-1].deadline_at == at("11:30") + minutes(total)
        assert [w.opens_at for w in windows[1:]] == [w.deadline_at for w in windows[:-1]]
