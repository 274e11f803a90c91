"""Numbers of QTI, which are those of XML Schema, without rounding."""

import re
from fractions import Fraction

_NUMBER = re.compile(r"[+-]?(?:\d{1,60}(?:\.\d{0,60})?|\.\d{1,60})(?:[eE][+-]?\d{1,2})?", re.ASCII)
_DECIMAL = re.compile(r"[+-]?(?:\d+(?:\.\d+)?|\.\d+)", re.ASCII)
_MAX_DECIMAL_PLACES = 60


def exact(text: str) -> Fraction | None:
    """Return the value of a number; None for `INF`, `NaN` and what is no number."""
    return Fraction(text.strip()) if _NUMBER.fullmatch(text.strip()) else None


def is_decimal(text: str) -> bool:
    """Whether a number of the bank is one of XML Schema too: `3.14`, but not `1/3`."""
    return _DECIMAL.fullmatch(text) is not None


def plain(text: str) -> str | None:
    """Return a number as the bank writes it: as it is typed, without an exponent. None if it is too long."""
    text = text.strip().removeprefix("+")
    return text if is_decimal(text) else decimal(exact(text))


def decimal(value: Fraction | None) -> str | None:
    """Return the decimal form of a value; None if it has none, or one that is too long."""
    if value is None:
        return None
    digits = next((count for count in range(_MAX_DECIMAL_PLACES) if 10**count % value.denominator == 0), None)
    if digits is None:
        return None
    scaled = str(abs(value.numerator) * 10**digits // value.denominator).rjust(digits + 1, "0")
    whole, part = scaled[: len(scaled) - digits], scaled[len(scaled) - digits :]
    return f"{'-' if value < 0 else ''}{whole}{f'.{part}' if part else ''}"
