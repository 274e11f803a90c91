"""Days, weeks and months of a calendar, for series of figures."""

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

_DAY, _WEEK = timedelta(days=1), timedelta(days=7)


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


def count(whole: Span, period: Period) -> int:
    """Return the number of periods of a span that is not empty, without making them."""
    first, last = first_day(whole.first, period), first_day(whole.last, period)
    if period is Period.MONTH:
        return 12 * (last.year - first.year) + last.month - first.month + 1
    return (last - first) // (_WEEK if period is Period.WEEK else _DAY) + 1


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
