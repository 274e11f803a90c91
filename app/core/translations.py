"""Sentences of errors in other languages than English. `app/locales/` has a catalog for each.

The catalogs are PO files, which translators' tools read (docs/decisions/0059). Each is read once.
"""

import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

from app.sentences import Sentence

ENGLISH = "en"
LANGUAGES = (ENGLISH, "hi")
LOCALES = Path(__file__).parents[1] / "locales"


def in_language(sentence: str, language: str) -> str:
    """The sentence in this language, or in English if the catalog does not have it."""
    if language == ENGLISH:
        return sentence
    texts = catalog(language)
    return sentence.translated(texts) if isinstance(sentence, Sentence) else texts.get(sentence, sentence)


def load_catalogs() -> None:
    """Read all catalogs, so that no request has to."""
    for language in LANGUAGES:
        if language != ENGLISH:
            catalog(language)


@cache
def catalog(language: str) -> Mapping[str, str]:
    """The translations of a language by the English template."""
    return dict(read_catalog((LOCALES / f"{language}.po").read_text(encoding="utf-8")))


def read_catalog(text: str) -> Iterator[tuple[str, str]]:
    """The entries of a PO file with a translation. Those that are marked as fuzzy do not count."""
    for entry in text.split("\n\n"):
        parts = _parts(entry)
        if parts.get("msgid") and parts.get("msgstr") and "#, fuzzy" not in entry:
            yield parts["msgid"], parts["msgstr"]


def _parts(entry: str) -> dict[str, str]:
    """The texts of an entry by keyword. A text may continue on the next lines."""
    parts: dict[str, str] = {}
    keyword = ""
    for line in entry.splitlines():
        before, quote, quoted = line.partition('"')
        if line.startswith("#") or not quote:
            continue
        keyword = before.strip() or keyword
        parts[keyword] = parts.get(keyword, "") + json.loads(quote + quoted)
    return parts
