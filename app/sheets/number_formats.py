"""Numbers as a spreadsheet shows them: `41%`, `₹1,00,000`, `001001`, `1/3`.

Formats have the syntax of ECMA-376 part 1, section 18.8.31. What this module cannot show exactly as a
spreadsheet does raises NotShown, so that no cell is read as another text than its author sees.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from functools import lru_cache

DIGITS_KEPT = 15
"""The significant digits that a spreadsheet keeps of a number."""
_MAX_GENERAL_LENGTH = 11  # the characters of a number that a cell without a format shows
_MAX_SMALL_LENGTH = 8  # beyond, a number below 0.0001 is shown with an exponent
_MAX_DECIMAL_PLACES = 30

_TOKEN = re.compile(
    r'"(?P<quoted>[^"]*)"|\\(?P<escaped>.)|\[\$(?P<currency>[^\]-]*)(?:-[^\]]*)?\]|\[(?P<bracket>[^\]]*)\]'
    r"|_(?P<width>.)|\*(?P<fill>.)|(?P<mark>General|E[+-]|[0#?.,%/@])|(?P<other>.)",
    re.DOTALL | re.IGNORECASE,
)
_CONDITION = re.compile(r"(<=|>=|<>|<|>|=)\s*(-?[0-9.]+)")
_COLORS = re.compile(r"black|blue|cyan|green|magenta|red|white|yellow|color ?\d+", re.IGNORECASE)
_PLAIN_SIGNS = frozenset(" -+()$:!^&'~{}<>=123456789")


class NotShown(ValueError):
    """The number is not read; the message says why and how to mend the cell."""


@dataclass(frozen=True, slots=True)
class _Token:
    """A literal text, or a mark such as `0` or `%`."""

    text: str
    is_literal: bool = False


@dataclass(frozen=True, slots=True)
class _Section:
    """One of the sections of a format, which semicolons separate."""

    tokens: Sequence[_Token]
    condition: tuple[str, Decimal] | None = None


def shown(value: float, code: str) -> str:
    """Return the text that a cell with this number and this format shows. Raises NotShown."""
    number = Decimal(repr(value))
    if not number.is_finite():
        raise NotShown("this is not a number; type the value instead")
    _check_digits(number)
    if code in ("General", "@", ""):
        return _general(number)
    section, shows_minus = _section_for(number, _sections(code))
    return _filled(number if shows_minus else abs(number), section, code)


def _check_digits(number: Decimal) -> None:
    if number.adjusted() >= DIGITS_KEPT:
        raise NotShown(
            f"this number has {number.adjusted() + 1} digits, of which a spreadsheet keeps {DIGITS_KEPT};"
            " format the cell as text and type it again"
        )


def _general(number: Decimal) -> str:
    """A number in a cell without a format, with all digits that were typed."""
    kept = number
    if len(number.as_tuple().digits) > DIGITS_KEPT:
        kept = number.quantize(Decimal(1).scaleb(number.adjusted() - DIGITS_KEPT + 1), ROUND_HALF_UP)
    text = _plain(kept)
    if kept != number and len(text) > _MAX_GENERAL_LENGTH:
        raise NotShown(
            f"this number has more than {DIGITS_KEPT} digits, and the cell shows fewer; format the cell as"
            " text and type what it should say"
        )
    if 0 < abs(number) < Decimal("0.0001") and len(text) > _MAX_SMALL_LENGTH:
        raise NotShown(
            f"the spreadsheet may show this number as {float(number):G}; format the cell as text and"
            " type what it should say"
        )
    return text


def _plain(number: Decimal) -> str:
    text = format(number, "f")
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in ("-0", "") else text


@lru_cache(maxsize=256)
def _sections(code: str) -> Sequence[_Section]:
    sections: list[_Section] = []
    tokens: list[_Token] = []
    condition: tuple[str, Decimal] | None = None
    for found in _TOKEN.finditer(code):
        if found["other"] == ";":
            sections.append(_Section(tuple(tokens), condition))
            tokens, condition = [], None
        elif (bracket := found["bracket"]) is not None:
            if test := _CONDITION.fullmatch(bracket.strip()):
                condition = test[1], Decimal(test[2])
            elif not _COLORS.fullmatch(bracket.strip()):
                raise _not_known(code)
        else:
            tokens += _tokens(found, code)
    return (*sections, _Section(tuple(tokens), condition))


def _tokens(found: re.Match[str], code: str) -> Iterator[_Token]:
    for kind in ("quoted", "escaped", "currency"):
        if found[kind]:
            yield _Token(found[kind], is_literal=True)
    if found["width"]:
        yield _Token(" ", is_literal=True)
    if found["mark"]:
        yield _Token(found["mark"])
    if (other := found["other"]) is not None:
        if other not in _PLAIN_SIGNS and ord(other) < 128:
            raise _not_known(code)
        yield _Token(other, is_literal=True)


def _not_known(code: str) -> NotShown:
    return NotShown(
        f'this number has the format "{code[:40]}", which is not read;'
        " format the cell as text and type it again"
    )


_TESTS = {
    "<": Decimal.__lt__,
    "<=": Decimal.__le__,
    ">": Decimal.__gt__,
    ">=": Decimal.__ge__,
    "=": Decimal.__eq__,
    "<>": Decimal.__ne__,
}


def _section_for(number: Decimal, sections: Sequence[_Section]) -> tuple[_Section, bool]:
    """The section for a number, and whether the minus is shown: a section of its own says how."""
    if any(section.condition for section in sections):
        for section in sections:
            if section.condition is None or _TESTS[section.condition[0]](number, section.condition[1]):
                return section, True
        return sections[-1], True
    if number < 0 and len(sections) > 1:
        return sections[1], False
    return sections[2 if number == 0 and len(sections) > 2 else 0], True


def _filled(number: Decimal, section: _Section, code: str) -> str:
    marks = [token.text for token in section.tokens if not token.is_literal]
    if any(mark.upper().startswith("E") or mark == "@" for mark in marks):
        raise _not_known(code)
    if "General" in marks or "GENERAL" in map(str.upper, marks):
        text = "".join(t.text if t.is_literal else _general(abs(number)) for t in section.tokens)
    elif "/" in marks:
        text = _fraction(abs(number), section, code)
    else:
        text = _decimal(abs(number), section)
    minus = "-" if number < 0 and any(sign in "123456789" for sign in text) else ""
    return f"{minus}{text.strip()}"


def _decimal(number: Decimal, section: _Section) -> str:
    tokens = list(section.tokens)
    marks = [token.text for token in tokens if not token.is_literal]
    number *= Decimal(100) ** marks.count("%")
    point = next((n for n, t in enumerate(tokens) if t.text == "." and not t.is_literal), len(tokens))
    whole, after = tokens[:point], tokens[point:]
    whole, scaled = _without_scaling(whole)
    number /= Decimal(1000) ** scaled
    places = sum(token.text in "0#?" for token in after if not token.is_literal)
    if places > _MAX_DECIMAL_PLACES:
        places = _MAX_DECIMAL_PLACES
    rounded = number.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP) if number else Decimal(0)
    digits, _, decimals = format(rounded, "f").partition(".")
    return _whole(digits.lstrip("0"), whole) + _decimals(decimals.ljust(places, "0"), after)


def _without_scaling(tokens: list[_Token]) -> tuple[list[_Token], int]:
    """The tokens without commas after the last digit. Each of them divides by a thousand."""
    last = max((n for n, t in enumerate(tokens) if not t.is_literal and t.text in "0#?"), default=-1)
    trailing = [t for t in tokens[last + 1 :] if t.text == "," and not t.is_literal]
    kept = tokens[: last + 1] + [t for t in tokens[last + 1 :] if t not in trailing]
    return kept, len(trailing) if last >= 0 else 0


def _whole(digits: str, tokens: Sequence[_Token]) -> str:
    """The part before the decimal point: digits are filled in from the right."""
    groups = _groups(tokens)
    slots = [token for token in tokens if token.is_literal or token.text in "0#?%"]
    first = next((n for n, t in enumerate(slots) if not t.is_literal and t.text in "0#?"), None)
    if first is None and digits and not any(not t.is_literal for t in slots):
        return "".join(token.text for token in slots)  # a format of literals only shows no number
    left, out, filled = list(digits), [], 0
    for place in range(len(slots) - 1, -1, -1):
        token = slots[place]
        if token.is_literal or token.text == "%":
            out.append(token.text[::-1])
            continue
        more = len(left) if place == first else 1
        for _ in range(max(more, 1)):
            digit = left.pop() if left else {"0": "0", "?": " ", "#": ""}[token.text]
            if digit and filled in groups:
                out.append(",")
            out.append(digit)
            filled += bool(digit)
    return "".join(out)[::-1]


def _groups(tokens: Sequence[_Token]) -> frozenset[int]:
    """The numbers of digits, from the right, before which a comma stands."""
    sizes = [0]
    for token in tokens:
        if token.is_literal:
            continue
        if token.text == ",":
            sizes.append(0)
        elif token.text in "0#?":
            sizes[-1] += 1
    if len(sizes) == 1:
        return frozenset()
    last = 3
    between = 2 if len(sizes) > 2 and sizes[-2] == 2 else 3  # lakh and crore, or thousand and million
    return frozenset(range(last, DIGITS_KEPT + 1, between))


def _decimals(digits: str, tokens: Sequence[_Token]) -> str:
    """The decimal point and what follows. Zeros at the end are shown where the format has `0`."""
    out, places = [], iter(digits)
    for token in tokens:
        if token.is_literal or token.text in "%.":
            out.append((token, token.text))
        elif token.text in "0#?":
            out.append((token, next(places)))
    shown_digits = [n for n, (token, _) in enumerate(out) if not token.is_literal and token.text in "0#?"]
    for n in reversed(shown_digits):
        token, digit = out[n]
        if digit != "0" or token.text == "0":
            break
        out[n] = token, " " if token.text == "?" else ""
    return "".join(text for _, text in out)


def _fraction(number: Decimal, section: _Section, code: str) -> str:
    """`# ?/?`: the nearest fraction whose denominator has as many digits, or the given denominator."""
    pattern = "".join(t.text for t in section.tokens)
    parts = re.fullmatch(r"(?P<whole>[#0?]+ +)?[#0?]+ */ *(?P<below>[#0?]+|[0-9]+)", pattern)
    if parts is None:
        raise _not_known(code)
    below = parts["below"]
    exact = Fraction(number)
    if re.search("[1-9]", below):
        denominator = int(below)
        near = Fraction(round(exact * denominator), denominator)
        numerator = round(exact * denominator)
    else:
        near = exact.limit_denominator(10 ** len(below) - 1)
        numerator, denominator = near.numerator, near.denominator
    whole = numerator // denominator if parts["whole"] else 0
    rest = numerator - whole * denominator
    if parts["whole"] and not rest:
        return str(whole)
    return f"{whole} {rest}/{denominator}" if whole else f"{rest}/{denominator}"
