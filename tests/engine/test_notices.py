"""Rules of time for notifications, as tables."""

from datetime import UTC, datetime, time, timedelta
from itertools import groupby, pairwise
from operator import itemgetter
from zoneinfo import ZoneInfo

import pytest

from app.engine.notices import MAX_TRIES, QuietHours, Reminder, rest_after

STARTS = datetime(2026, 11, 26, 4, 0, tzinfo=UTC)
DAY = Reminder(timedelta(hours=24), timedelta(hours=6), worth=timedelta(minutes=15))
QUARTER = Reminder(timedelta(minutes=15), timedelta(minutes=10), worth=timedelta())


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


class TestReminder:
    @pytest.mark.parametrize(
        ("reminder", "before_start", "due"),
        [
            (DAY, timedelta(hours=24, seconds=1), False),
            (DAY, timedelta(hours=24), True),
            (DAY, timedelta(hours=18, seconds=1), True),
            (DAY, timedelta(hours=18), False),
            (DAY, timedelta(minutes=10), False),
            (QUARTER, timedelta(minutes=15, seconds=1), False),
            (QUARTER, timedelta(minutes=15), True),
            (QUARTER, timedelta(minutes=5, seconds=1), True),
            (QUARTER, timedelta(minutes=5), False),
            (QUARTER, timedelta(seconds=-1), False),
        ],
    )
    def test_it_is_due_for_a_while_and_never_late(
        self, reminder: Reminder, before_start: timedelta, due: bool
    ) -> None:
        after, until = reminder.starts_due(STARTS - before_start)
        assert (after < STARTS <= until) is due

    def test_it_names_when_it_was_due_and_when_it_is_of_no_use(self) -> None:
        assert DAY.due_at(STARTS) == at("2026-11-25T04:00:00Z")
        assert DAY.expires_at(STARTS) == at("2026-11-26T03:45:00Z")
        assert QUARTER.expires_at(STARTS) == STARTS


class TestQuietHours:
    @pytest.mark.parametrize(
        ("zone", "begin", "end", "now", "ends"),
        [
            # Over midnight in India: from 22:00 (16:30 UTC) until 07:00 (01:30 UTC).
            ("Asia/Kolkata", "22:00", "07:00", "2026-11-25T16:29:59Z", None),
            ("Asia/Kolkata", "22:00", "07:00", "2026-11-25T16:30:00Z", "2026-11-26T01:30:00Z"),
            ("Asia/Kolkata", "22:00", "07:00", "2026-11-25T18:29:00Z", "2026-11-26T01:30:00Z"),
            ("Asia/Kolkata", "22:00", "07:00", "2026-11-25T18:31:00Z", "2026-11-26T01:30:00Z"),
            ("Asia/Kolkata", "22:00", "07:00", "2026-11-26T01:29:59Z", "2026-11-26T01:30:00Z"),
            ("Asia/Kolkata", "22:00", "07:00", "2026-11-26T01:30:00Z", None),
            # Within a day, and the same moment elsewhere.
            ("Asia/Kolkata", "13:00", "15:00", "2026-11-25T08:00:00Z", "2026-11-25T09:30:00Z"),
            ("Asia/Dubai", "13:00", "15:00", "2026-11-25T08:00:00Z", None),
            ("Asia/Dubai", "13:00", "15:00", "2026-11-25T09:00:00Z", "2026-11-25T11:00:00Z"),
            ("Asia/Kathmandu", "22:00", "06:30", "2026-11-25T20:00:00Z", "2026-11-26T00:45:00Z"),
            ("America/Los_Angeles", "22:00", "07:00", "2026-11-25T16:30:00Z", None),
            ("Pacific/Kiritimati", "00:00", "06:00", "2026-11-25T10:30:00Z", "2026-11-25T16:00:00Z"),
            # New York puts the clock forward on 2026-03-08 at 2:00, so the night has an hour less ...
            ("America/New_York", "22:00", "07:00", "2026-03-08T03:30:00Z", "2026-03-08T11:00:00Z"),
            # ... an end that is skipped is the moment as long after midnight ...
            ("America/New_York", "22:00", "02:30", "2026-03-08T06:00:00Z", "2026-03-08T07:30:00Z"),
            # ... and back on 2026-11-01: the night has an hour more, and 1:30 comes twice.
            ("America/New_York", "22:00", "07:00", "2026-11-01T03:30:00Z", "2026-11-01T12:00:00Z"),
            ("America/New_York", "22:00", "01:30", "2026-11-01T05:00:00Z", "2026-11-01T06:30:00Z"),
            ("America/New_York", "22:00", "01:30", "2026-11-01T06:10:00Z", "2026-11-01T06:30:00Z"),
            ("Europe/London", "23:00", "06:00", "2026-03-29T00:30:00Z", "2026-03-29T05:00:00Z"),
            # London puts the clock back on 2026-10-25 at 2:00 (1:00 UTC): 1:00 to 2:00 comes twice. An end at
            # 1:30 is the second one ...
            ("Europe/London", "22:00", "01:30", "2026-10-25T00:29:59Z", "2026-10-25T01:30:00Z"),
            ("Europe/London", "22:00", "01:30", "2026-10-25T00:45:00Z", "2026-10-25T01:30:00Z"),
            ("Europe/London", "22:00", "01:30", "2026-10-25T01:29:59Z", "2026-10-25T01:30:00Z"),
            ("Europe/London", "22:00", "01:30", "2026-10-25T01:30:00Z", None),
            # ... a begin at 1:30 is the first one, and they do not stop when 1:00 comes again.
            ("Europe/London", "01:30", "07:00", "2026-10-25T00:29:59Z", None),
            ("Europe/London", "01:30", "07:00", "2026-10-25T00:30:00Z", "2026-10-25T07:00:00Z"),
            ("Europe/London", "01:30", "07:00", "2026-10-25T01:10:00Z", "2026-10-25T07:00:00Z"),
            # It puts the clock forward on 2026-03-29 at 1:00 UTC: a begin that is skipped is that moment ...
            ("Europe/London", "01:30", "07:00", "2026-03-29T00:59:59Z", None),
            ("Europe/London", "01:30", "07:00", "2026-03-29T01:00:00Z", "2026-03-29T06:00:00Z"),
            # ... and with an end that is skipped they last until 1:30 UTC for who is told at 1:10, too.
            ("Europe/London", "22:00", "01:30", "2026-03-29T00:59:59Z", "2026-03-29T01:30:00Z"),
            ("Europe/London", "22:00", "01:30", "2026-03-29T01:10:00Z", "2026-03-29T01:30:00Z"),
            ("Europe/London", "22:00", "01:30", "2026-03-29T01:30:00Z", None),
        ],
    )
    def test_when_they_end(self, zone: str, begin: str, end: str, now: str, ends: str | None) -> None:
        hours = QuietHours(time.fromisoformat(begin), time.fromisoformat(end), ZoneInfo(zone))
        assert hours.end_after(at(now)) == (at(ends) if ends else None)

    @pytest.mark.parametrize(
        "zone", ["Europe/London", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe"]
    )
    @pytest.mark.parametrize(("begin", "end"), [("22:00", "07:00"), ("01:30", "07:00"), ("22:00", "01:30")])
    @pytest.mark.parametrize("day", ["03-07", "03-28", "04-04", "10-03", "10-24", "10-31"])
    def test_they_begin_and_end_once_a_night(self, zone: str, begin: str, end: str, day: str) -> None:
        """Around the changes of these clocks: quiet hours are not interrupted, and name one end all night."""
        hours = QuietHours(time.fromisoformat(begin), time.fromisoformat(end), ZoneInfo(zone))
        moments = [at(f"2026-{day}T00:00:00Z") + number * timedelta(minutes=15) for number in range(3 * 96)]
        named = groupby(((now, hours.end_after(now)) for now in moments), key=itemgetter(1))
        periods = [(until, [now for now, _ in period]) for until, period in named]
        assert sum(until is not None for until, _ in periods) in (3, 4)
        for (until, _), (following, after) in pairwise(periods):
            assert (until is None) != (following is None), f"{until} and then {following}"
            assert until is None or after[0] == until

    def test_the_end_is_always_ahead(self) -> None:
        hours = QuietHours(time(22), time(1, 30), ZoneInfo("America/New_York"))
        now = at("2026-10-31T00:00:00Z")
        while now < at("2026-11-03T00:00:00Z"):
            end = hours.end_after(now)
            assert end is None or end > now
            now += timedelta(minutes=7)


class TestRestAfter:
    @pytest.mark.parametrize(
        ("tries", "seconds"),
        [
            *((1, 30), (2, 60), (3, 120), (4, 240), (5, 480), (6, 960)),
            *((7, 1920), (8, 3840), (9, 7680), (10, 14_400), (11, 14_400)),
        ],
    )
    def test_it_doubles_up_to_four_hours(self, tries: int, seconds: int) -> None:
        assert rest_after(tries) == timedelta(seconds=seconds)

    @pytest.mark.parametrize("tries", [MAX_TRIES, MAX_TRIES + 1])
    def test_it_ends(self, tries: int) -> None:
        assert rest_after(tries) is None
        assert rest_after(tries, timedelta(seconds=1)) is None

    @pytest.mark.parametrize(
        ("asked", "seconds"), [(10, 30), (90, 90), (86_400, 86_400), (864_000, 86_400), (0, 30)]
    )
    def test_the_server_may_ask_for_more_but_not_for_ever(self, asked: int, seconds: int) -> None:
        assert rest_after(1, timedelta(seconds=asked)) == timedelta(seconds=seconds)
