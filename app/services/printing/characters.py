"""The characters that print as typed: those of the fonts of a document, as fonts/characters.txt lists them.

Typst draws a box for any other character. The list has the code points of the `cmap` tables of our fonts, and
of DejaVu Sans Mono and New Computer Modern Math, which Typst brings. It leaves out private characters, for
which a font may draw anything, and scripts from right to left. A test compares it with the fonts.
"""

import unicodedata
from collections.abc import Iterable
from functools import cache
from pathlib import Path

CHARACTERS = Path(__file__).parent / "fonts" / "characters.txt"
_NOT_DRAWN = ("Cf", "Cc")
_VARIATION_SELECTORS = range(0xFE00, 0xFE10)


def unprintable(texts: Iterable[str]) -> list[str]:
    """Return the characters that no font has, each once, in their order."""
    characters = dict.fromkeys(character for text in texts for character in text)
    return [character for character in characters if not _is_drawn(character)]


def _is_drawn(character: str) -> bool:
    """Whether the character, or each part of a composed one, is in a font or has no form of its own."""
    known = printable()
    code = ord(character)
    if code in known or code in _VARIATION_SELECTORS or unicodedata.category(character) in _NOT_DRAWN:
        return True
    parts = unicodedata.normalize("NFD", character)
    return parts != character and all(ord(part) in known for part in parts)


@cache
def printable() -> frozenset[int]:
    """The code points of the list."""
    ranges = (line.partition("-") for line in CHARACTERS.read_text("ascii").split())
    return frozenset(
        code for first, _, last in ranges for code in range(int(first, 16), int(last or first, 16) + 1)
    )
