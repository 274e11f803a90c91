"""Characters that nobody sees in a typed number or word: they are no part of what is meant."""

# Characters without a width, joiners and direction marks. Overrides of the direction (U+202D, U+202E) are not
# among them, because they show characters in another order.
INVISIBLE = "\u00ad\u061c\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u2060\u2066\u2067\u2068\u2069\ufeff"
_NOTHING = dict.fromkeys(map(ord, INVISIBLE))


def without_invisible(text: str) -> str:
    """The text without these characters."""
    return text if text.isascii() else text.translate(_NOTHING)
