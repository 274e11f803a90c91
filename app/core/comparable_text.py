"""One form for texts that read alike: spaces, joiners, the spelling of nuktas and hyphens do not matter."""

import unicodedata

# Characters without a shape of their own. Joiners decide between two shapes of one word in Devanagari.
_SHAPELESS = dict.fromkeys(map(ord, "\u00ad\u200b\u200c\u200d\u200e\u200f\u2060\ufeff"))
_HYPHENS = dict.fromkeys(map(ord, "\u2010\u2011"), "-")
_TABLE = {**_SHAPELESS, **_HYPHENS}


def comparable(text: str) -> str:
    """The form in which texts are compared: their case does not matter either. It is not stored or shown."""
    return unicodedata.normalize("NFKC", exact(text)).casefold()


def exact(text: str) -> str:
    """The same for texts of which each sign matters, such as the options Tt and tt, or x² and x2."""
    return " ".join(searchable(text).split())


def searchable(text: str) -> str:
    """The text in the form in which the database searches (`ias.plain_text`): case and spaces stay."""
    # NFC writes a letter with a nukta as two characters, however it was typed.
    return unicodedata.normalize("NFC", text).translate(_TABLE)


def visible(text: str) -> str:
    """The text without characters that have no shape, and with single spaces."""
    return " ".join(text.translate(_SHAPELESS).split())
