"""Days, weeks and months of a series."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.engine.periods import Period, Span, count, first_day, last_day, spans


def span(first: str, last: str) -> Span:
    return Span(date.fromisoformat(first), date.fromisoformat(last))


@pytest.mark.parametrize(
    ("whole", "period", "parts"),
    [
        (("2026-02-28", "2026-03-01"), "day", [("2026-02-28",) * 2, ("2026-03-01",) * 2]),
        # 2026-06-07 is a Sunday.
        (("2026-06-05", "2026-06-09"), "week", [("2026-06-05", "2026-06-07"), ("2026-06-08", "2026-06-09")]),
        (("2026-06-08", "2026-06-14"), "week", [("2026-06-08", "2026-06-14")]),
        (("2028-01-31", "2028-02-29"), "month", [("2028-01-31",) * 2, ("2028-02-01", "2028-02-29")]),
        (("2026-12-15", "2026-12-31"), "month", [("2026-12-15", "2026-12-31")]),
        (("2026-06-08", "2026-06-07"), "day", []),
    ],
)  # fmt: skip
def test_the_parts_of_a_span(whole: tuple[str, str], period: str, parts: list[tuple[str, str]]) -> None:
    assert spans(span(*whole), Period(period)) == [span(*part) for part in parts]


@given(st.dates(date(2000, 1, 1), date(2100, 1, 1)), st.integers(0, 400), st.sampled_from(Period))
def test_each_day_is_in_one_part_and_in_its_own_period(first: date, days: int, period: Period) -> None:
    whole = Span(first, first + timedelta(days=days))
    found = spans(whole, period)
    assert sum((part.last - part.first).days + 1 for part in found) == days + 1
    assert (found[0].first, found[-1].last) == (whole.first, whole.last)
    assert len(found) == count(whole, period)
    for part in found:
        assert first_day(part.last, period) <= part.first
        assert last_day(part.first, period) >= part.last
