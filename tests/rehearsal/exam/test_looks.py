"""When overdue attempts were closed."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from rehearsal.exam.looks import Row, closing_mismatches

NOON = datetime(2027, 5, 23, 12, tzinfo=UTC)
GRACE = timedelta(seconds=10)


def moment(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def row(closed: float, closed_by: str | None = "deadline", status: str = "submitted") -> Row:
    """An attempt whose deadline was at noon."""
    return Row("one", UUID(int=1), status, moment(-60), NOON, NOON, closed_by, moment(closed))


class TestClosingMismatches:
    @pytest.mark.parametrize(
        ("closed", "wrong"), [(9.4, True), (9.6, False), (15.9, False), (20, False), (20.1, True)]
    )
    def test_within_ten_seconds_of_the_grace(self, closed: float, wrong: bool) -> None:
        assert bool(closing_mismatches([row(closed)], GRACE, [])) is wrong

    def test_while_something_was_killed_it_counts_from_its_return(self) -> None:
        outage = (moment(12), moment(30))

        assert closing_mismatches([row(39)], GRACE, [outage]) == []
        assert closing_mismatches([row(41)], GRACE, [outage]) != []
        assert closing_mismatches([row(34)], GRACE, [(moment(-30), moment(-20))]) != []

    def test_who_submitted_was_not_closed(self) -> None:
        assert closing_mismatches([row(-100, "candidate"), row(-100, "staff", "void")], GRACE, []) == []

    def test_one_that_still_runs_is_seen(self) -> None:
        assert closing_mismatches([row(5, None, "in_progress")], GRACE, []) == [
            "attempt one is in_progress after the exam"
        ]
