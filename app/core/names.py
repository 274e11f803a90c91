"""Rules for short texts: names of persons, titles, e-mail addresses and roll numbers.

Invalid values in request bodies, files and commands are rejected with a reason (`checked`, `email_address`).
A name in an access token is cleaned instead (`person_name`), so that it never prevents a login.
"""

import re
import unicodedata

from app.core.errors import Invalid
from app.sentences import Sentence

MAX_NAME_LENGTH = 200
MAX_TITLE_LENGTH = 300
MAX_EMAIL_LENGTH = 254
MAX_ROLL_NUMBER_LENGTH = 50
DEFAULT_NAME = "Candidate"

# Embeddings, overrides and isolates change the order in which text is displayed. The marks U+200E, U+200F and
# U+061C are allowed: they are needed in texts that are written from right to left.
_REVERSING = r"\u202a-\u202e\u2066-\u2069"
# Invisible controls of old kinds of display, and code points that are no characters.
_NO_TEXT = r"\u206a-\u206f\ufff9-\ufffb\ufdd0-\ufdef\ufffe\uffff"
# Control characters, line and paragraph separators, and halves of surrogate pairs.
_FORBIDDEN = re.compile(rf"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff{_REVERSING}{_NO_TEXT}]")
_FORBIDDEN_IN_LINES = re.compile(rf"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff{_REVERSING}{_NO_TEXT}]")
# Characters in the categories of letters and symbols that are displayed as blank.
_BLANK = {"\u115f", "\u1160", "\u2800", "\u3164", "\uffa0"}
# The letters of English and Hindi: most texts begin with one, and this is faster than to look at categories.
_OFTEN_VISIBLE = re.compile("[!-~\u0904-\u0939]")
_VISIBLE_CATEGORIES = "LNPS"
_INVISIBLE = Sentence("Write at least one visible character.")
# Marks are drawn above and below a letter, and a long stack covers other lines. No script needs more than 8.
_MAX_MARKS = 8
_MARKS = [chr(code) for code in range(0x300, 0x10000) if unicodedata.category(chr(code)) in ("Mn", "Me")]
_STACK = re.compile(f"[{''.join(_MARKS)}]{{{_MAX_MARKS + 1}}}")
_TOO_MANY_MARKS = Sentence(
    "A letter has more than {most} marks above or below it. Remove some of them.", most=_MAX_MARKS
)
_ADDRESS = re.compile(r"[^@]{1,64}@[^@]+")
_NOT_IN_AN_ADDRESS = ' ,;:<>"()[]\\'


def problem_of(text: str, longest: int | None = None) -> str | None:
    """A sentence that says how to correct an invalid name or title, or None if it is valid."""
    if longest is not None and len(text) > longest:
        return Sentence("Use at most {longest} characters.", longest=longest)
    if _FORBIDDEN.search(text):
        return Sentence(
            "Write one line, without control characters or characters that reverse the direction of text."
        )
    if _STACK.search(text):
        return _TOO_MANY_MARKS
    return None if _shows_something(text) else _INVISIBLE


def checked(text: str, longest: int | None = None) -> str:
    """Return the name or title without surrounding whitespace. Raises ValueError if it is not valid."""
    text = text.strip()
    if problem := problem_of(text, longest):
        raise ValueError(problem)
    return text


def checked_lines(text: str) -> str:
    """Return a text of several lines.

    Raises ValueError if it has control characters or long stacks of marks, or shows nothing.
    """
    if _FORBIDDEN_IN_LINES.search(text):
        raise ValueError(
            "Remove control characters and characters that reverse the direction of text: type it again, or"
            " paste it as plain text."
        )
    if _STACK.search(text):
        raise ValueError(_TOO_MANY_MARKS)
    if not _shows_something(text):
        raise ValueError(_INVISIBLE)
    return text


def checked_field(field: str, text: str, longest: int) -> str:
    """Like `checked`, but raises Invalid with the name of the field."""
    try:
        return checked(text, longest)
    except ValueError as error:
        raise Invalid.field(field, str(error)) from error


def person_name(given: str | None, email: str) -> str:
    """The name from an access token, or the local part of the address, or a default name."""
    candidates = (given or "", email.partition("@")[0], DEFAULT_NAME)
    return next(name for name in map(cleaned, candidates) if name)


def cleaned(text: str) -> str:
    """The text on one line, cut to the length of a name. Empty if no visible character is left."""
    # The text is also cut before it is cleaned, which limits the work for a very long text.
    start = text[: 4 * MAX_NAME_LENGTH]
    name = " ".join(_FORBIDDEN.sub(" ", start).split())[:MAX_NAME_LENGTH].rstrip()
    return name if problem_of(name, MAX_NAME_LENGTH) is None else ""


def email_address(text: str) -> str:
    """Return the address in lower case. Raises ValueError if it is not a single plain address."""
    address = text.strip().lower()
    if (
        len(address) > MAX_EMAIL_LENGTH
        or not address.isprintable()
        or any(sign in address for sign in _NOT_IN_AN_ADDRESS)
        or not _ADDRESS.fullmatch(address)
    ):
        raise ValueError("This is not an e-mail address such as name@example.org.")
    return address


def _shows_something(text: str) -> bool:
    return bool(_OFTEN_VISIBLE.search(text)) or any(map(_is_visible, text))


def _is_visible(character: str) -> bool:
    return unicodedata.category(character)[0] in _VISIBLE_CATEGORIES and character not in _BLANK
