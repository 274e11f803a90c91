"""Short texts: one rule for a person's name, a title and an e-mail address, wherever they come from.

Bodies, columns of files and the command line are refused with a reason (`checked`, `email_address`). A name
that comes with an access token is cleaned instead (`person_name`): nobody is kept out because of a name.
"""

import re
import unicodedata

from app.core.errors import Invalid

LONGEST_NAME = 200
LONGEST_TITLE = 300
LONGEST_EMAIL = 254
DEFAULT_NAME = "Candidate"

# Embeddings, overrides and isolates show text in another order than it is stored in. The marks U+200E, U+200F
# and U+061C only say how neighboring signs are placed; people who write from right to left need them.
_REVERSING = r"\u202a-\u202e\u2066-\u2069"
# Control characters, line and paragraph separators, and halves of surrogate pairs.
_FORBIDDEN = re.compile(rf"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff{_REVERSING}]")
_FORBIDDEN_IN_LINES = re.compile(rf"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff{_REVERSING}]")
# Letters and symbols by category that no font shows.
_BLANK = {"\u115f", "\u1160", "\u2800", "\u3164", "\uffa0"}
_VISIBLE_CATEGORIES = "LNPS"
_ADDRESS = re.compile(r"[^@]{1,64}@[^@]+")
_NOT_IN_AN_ADDRESS = ' ,;:<>"()[]\\'


def problem_of(text: str, longest: int | None = None) -> str | None:
    """What is wrong with a name or title, in words that say how to correct it; None if nothing is."""
    if longest is not None and len(text) > longest:
        return f"At most {longest} characters fit."
    if _FORBIDDEN.search(text):
        return "Write one line, without control characters or characters that reverse the direction of text."
    if not any(map(_is_visible, text)):
        return "Write at least one visible character."
    return None


def checked(text: str, longest: int | None = None) -> str:
    """The name or title without surrounding space. Raises ValueError for what is none."""
    text = text.strip()
    if problem := problem_of(text, longest):
        raise ValueError(problem)
    return text


def checked_lines(text: str) -> str:
    """A text of several lines, such as an announcement. Raises ValueError for one with control characters."""
    if _FORBIDDEN_IN_LINES.search(text):
        raise ValueError("Remove control characters and characters that reverse the direction of text.")
    return text


def checked_field(field: str, text: str, longest: int) -> str:
    """`checked` for a use case: raises Invalid, which names the field."""
    try:
        return checked(text, longest)
    except ValueError as error:
        raise Invalid.field(field, str(error)) from error


def person_name(given: str | None, email: str) -> str:
    """A person's name from outside our API: cleaned, else the local part of the address, else a default."""
    candidates = (given or "", email.partition("@")[0], DEFAULT_NAME)
    return next(name for name in map(cleaned, candidates) if name)


def cleaned(text: str) -> str:
    """The text on one line and no longer than a name, or nothing if no visible character is left."""
    # Cut twice: cleaning must not walk a text of any length.
    start = text[: 4 * LONGEST_NAME]
    name = " ".join(_FORBIDDEN.sub(" ", start).split())[:LONGEST_NAME].rstrip()
    return name if problem_of(name, LONGEST_NAME) is None else ""


def email_address(text: str) -> str:
    """The address in lower case. Raises ValueError for what is not one plain address."""
    address = text.strip().lower()
    if (
        len(address) > LONGEST_EMAIL
        or not address.isprintable()
        or any(sign in address for sign in _NOT_IN_AN_ADDRESS)
        or not _ADDRESS.fullmatch(address)
    ):
        raise ValueError("This is no e-mail address like name@example.org.")
    return address


def _is_visible(character: str) -> bool:
    return unicodedata.category(character)[0] in _VISIBLE_CATEGORIES and character not in _BLANK
