"""When overdue attempts were closed."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from rehearsal.exam.database_checks import StoredAttempt, closing_delays, closing_mismatches

NOON = datetime(2027, 5, 23, 12, tzinfo=UTC)
GRACE = timedelta(seconds=10)


def moment(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def row(closed: float, closed_by: str | None = "deadline", status: str = "submitted") -> StoredAttempt:
    """An attempt whose deadline was at noon."""
    return StoredAttempt("one", UUID(int=1), status, moment(-60), NOON, NOON, closed_by, moment(closed))


class TestClosingMismatches:
    @pytest.mark.parametrize(("closed", "wrong"), [(9.4, True), (9.6, False), (30, False)])
    def test_an_attempt_is_not_closed_before_its_grace_is_over(self, closed: float, wrong: bool) -> None:
        assert bool(closing_mismatches([row(closed)], GRACE)) is wrong

    def test_an_attempt_that_was_submitted_or_voided_was_not_closed(self) -> None:
        assert closing_mismatches([row(-100, "candidate"), row(-100, "staff", "void")], GRACE) == []

    def test_an_attempt_that_still_runs_is_reported(self) -> None:
        assert closing_mismatches([row(5, None, "in_progress")], GRACE) == [
            "attempt one is in_progress after the exam"
        ]


class TestClosingDelays:
    @pytest.mark.parametrize(("closed", "late"), [(15.9, False), (20, False), (20.1, True)])
    def test_an_attempt_is_closed_within_ten_seconds_of_its_grace(self, closed: float, late: bool) -> None:
        assert bool(closing_delays([row(closed)], GRACE, [])) is late

    def test_during_an_outage_the_limit_counts_from_its_end(self) -> None:
        outage = (moment(12), moment(30))

        assert closing_delays([row(39)], GRACE, [outage]) == []
        assert closing_delays([row(41)], GRACE, [outage]) != []
        assert closing_delays([row(34)], GRACE, [(moment(-30), moment(-20))]) != []

    def test_an_attempt_that_was_submitted_has_no_limit(self) -> None:
        assert closing_delays([row(100, "candidate")], GRACE, []) == []
