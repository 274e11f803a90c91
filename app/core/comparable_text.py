"""One form for texts that read alike: spaces, joiners, the spelling of nuktas and hyphens do not matter."""

import re
import unicodedata
from collections.abc import Mapping

# Characters without a shape of their own. Joiners decide between two shapes of one word in Devanagari.
_SHAPELESS = dict.fromkeys(map(ord, "\u00ad\u200b\u200c\u200d\u200e\u200f\u2060\ufeff"))
_HYPHENS = dict.fromkeys(map(ord, "\u2010\u2011"), "-")
_TABLE = {**_SHAPELESS, **_HYPHENS}
# Most texts have none of these characters, and to search for them is faster than to translate.
_IN_TABLE = re.compile(f"[{''.join(map(chr, _TABLE))}]")


def comparable(text: str) -> str:
    """The form in which texts are compared: their case does not matter either. It is not stored or shown."""
    return unicodedata.normalize("NFKC", exact(text)).casefold()


def exact(text: str) -> str:
    """The same for texts of which each sign matters, such as the options Tt and tt, or x² and x2."""
    return " ".join(searchable(text).split())


def searchable(text: str) -> str:
    """The text in the form in which the database searches (`ias.plain_text`): case and spaces stay."""
    # NFC writes a letter with a nukta as two characters, however it was typed.
    return _translated(unicodedata.normalize("NFC", text), _TABLE)


def visible(text: str) -> str:
    """The text without characters that have no shape, and with single spaces."""
    return " ".join(_translated(text, _SHAPELESS).split())


def _translated(text: str, table: Mapping[int, str | None]) -> str:
    return text.translate(table) if not text.isascii() and _IN_TABLE.search(text) else text
