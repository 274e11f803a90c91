"""Days, weeks and months of a calendar, for series of figures."""

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

_DAY, _WEEK = timedelta(days=1), timedelta(days=7)
_SHORTEST_MONTH = timedelta(days=28)


class Period(StrEnum):
    """The length of the parts of a series."""

    DAY = "day"
    WEEK = "week"
    """From Monday to Sunday."""
    MONTH = "month"


@dataclass(frozen=True, slots=True)
class Span:
    """Some days of a calendar, the first and the last included."""

    first: date
    last: date


def spans(whole: Span, period: Period) -> list[Span]:
    """Return the periods of a span, in order. The first and the last one are cut to the span."""
    found, first = [], whole.first
    while first <= whole.last:
        last = min(last_day(first, period), whole.last)
        found.append(Span(first, last))
        first = last + _DAY
    return found


def count_at_most(whole: Span, period: Period) -> int:
    """Return a bound for the number of periods of a span, without making them."""
    length = {Period.DAY: _DAY, Period.WEEK: _WEEK, Period.MONTH: _SHORTEST_MONTH}[period]
    return (whole.last - whole.first) // length + 2


def first_day(day: date, period: Period) -> date:
    """Return the first day of the period of a day."""
    if period is Period.WEEK:
        return day - day.weekday() * _DAY
    return day.replace(day=1) if period is Period.MONTH else day


def last_day(day: date, period: Period) -> date:
    """Return the last day of the period of a day."""
    if period is Period.DAY:
        return day
    if period is Period.WEEK:
        return day + (6 - day.weekday()) * _DAY
    return (day.replace(day=1) + timedelta(days=31)).replace(day=1) - _DAY
