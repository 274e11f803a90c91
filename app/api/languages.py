"""The language of an error: the one that the client prefers by `Accept-Language`, of those that we have."""

from collections.abc import Iterator
from functools import lru_cache

from starlette.datastructures import Headers
from starlette.types import Scope

from app.core.translations import ENGLISH, LANGUAGES

MAX_HEADER_LENGTH = 200
"""Browsers send fewer than 100 characters. The rest of a longer header is ignored."""


def language_of(scope: Scope) -> str:
    """The language of the response to this request."""
    accepted = ",".join(Headers(scope=scope).getlist("accept-language"))
    return preferred(accepted[:MAX_HEADER_LENGTH]) if accepted else ENGLISH


@lru_cache(maxsize=256)
def preferred(accepted: str) -> str:
    """The supported language with the highest quality, or English. Of equals, the first in the header."""
    qualities: dict[str, float] = {}
    for language, quality in _ranges(accepted):
        qualities[language] = max(quality, qualities.get(language, 0.0))
    if "*" in qualities:
        qualities.setdefault(ENGLISH, qualities["*"])
    known = [language for language in qualities if language in LANGUAGES and qualities[language] > 0]
    return max(known, key=lambda language: qualities[language], default=ENGLISH)


def _ranges(accepted: str) -> Iterator[tuple[str, float]]:
    """The languages of a header without region or script, and the quality of each."""
    for part in accepted.split(","):
        tag, *parameters = (each.strip().lower() for each in part.split(";"))
        quality = next((each[2:] for each in parameters if each.startswith("q=")), "1")
        yield tag.partition("-")[0], _number(quality)


def _number(text: str) -> float:
    """A quality from 0 to 1. One that is not valid counts as 0."""
    try:
        number = float(text)
    except ValueError:
        return 0.0
    return number if 0 <= number <= 1 else 0.0
