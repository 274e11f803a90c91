"""Numbers as people type them: signs and digits of other keyboards, spaces, a point at the end.

Answers, keys and the cells of sheets are read by the same functions. A notation is read only if it
has one meaning (docs/decisions/0052).
"""

import re
import unicodedata
from fractions import Fraction

from app.engine.invisible_characters import INVISIBLE
from app.engine.marks import parse_fraction
from app.sentences import Sentence

MAX_NUMBER_LENGTH = 32
"""Of the plain number. The typed text may be longer, for it may have spaces."""
_MAX_TYPED_LENGTH = 200

_SIGNS = {
    **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212\ufe63\uff0d", "-"),  # hyphens, dashes, minus signs
    **dict.fromkeys("\ufe62\uff0b", "+"),
    **dict.fromkeys("\u2044\u2215\uff0f", "/"),
    **dict.fromkeys("\u066b\uff0e", "."),
    **dict.fromkeys(INVISIBLE, ""),
}
_COMMAS = frozenset(",\u060c\u066c\uff0c")
_INNER_SPACES = re.compile(r"(?<=^[+-])\s+|\s*/\s*")
_POINT_AT_END = re.compile(r"(?<=[0-9])\.$")


def plain_number(text: str) -> str:
    """The number in ASCII, such as `-5` for ` −५. `. Raises ValueError if the text is not one number."""
    if len(text) > _MAX_TYPED_LENGTH:
        raise ValueError(Sentence("A number has at most {longest} characters.", longest=MAX_NUMBER_LENGTH))
    if not _COMMAS.isdisjoint(text):
        raise ValueError('A number has no commas. Write "1000" for a thousand, and "3.14" with a point.')
    plain = text if text.isascii() else "".join(map(_ascii, text))
    plain = _INNER_SPACES.sub(_without_spaces, plain.strip())
    plain = _POINT_AT_END.sub("", plain)
    parse_fraction(plain, longest=MAX_NUMBER_LENGTH)
    return plain.removeprefix("+")


def parse_number(text: str) -> Fraction:
    """The value of a typed number. Raises ValueError with a sentence for the person who typed it."""
    return Fraction(plain_number(text))


def _ascii(character: str) -> str:
    if (sign := _SIGNS.get(character)) is not None:
        return sign
    digit = unicodedata.decimal(character, None)
    return character if digit is None else str(digit)


def _without_spaces(found: re.Match[str]) -> str:
    return found[0].strip()
