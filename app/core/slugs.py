"""Builds slugs (lower-case ASCII words joined by hyphens) from names in any script."""

import hashlib
import re
import unicodedata

MAX_SLUG_LENGTH = 100


def slug_of(name: str) -> str:
    """The slug of a name: `Current Affairs` → `current-affairs`, `राजव्यवस्था` → `raajavyavasthaa`.

    The same name always gives the same slug. For a name without letters and digits it is a part of its hash.
    """
    latin = _transliterated(unicodedata.normalize("NFKC", name)).lower()
    slug = "-".join(re.findall(r"[a-z0-9]+", latin))[:MAX_SLUG_LENGTH].strip("-")
    return slug or hashlib.sha256(name.encode()).hexdigest()[:12]


def _transliterated(text: str) -> str:
    """Transliterate by the Unicode names of characters. All scripts of India have names of one pattern."""
    spelled: list[str] = []
    for character in text:
        if plain := unicodedata.normalize("NFKD", character).encode("ascii", "ignore").decode():
            spelled.append(plain)
            continue
        name = unicodedata.name(character, "")
        if "VOWEL SIGN" in name or name.endswith("SIGN VIRAMA"):
            _drop_inherent_vowel(spelled)
        spelled.append(_sound(character, name))
    return "".join(spelled)


def _sound(character: str, name: str) -> str:
    """The last word of the Unicode name of a letter, vowel sign or digit. Nasals become n."""
    if name.endswith(("SIGN ANUSVARA", "SIGN CANDRABINDU")):
        return "n"
    if character.isdecimal():
        return str(unicodedata.decimal(character))
    if character.isalpha() or "VOWEL SIGN" in name:
        return name.rpartition(" ")[2]
    return "" if unicodedata.category(character).startswith("M") else " "


def _drop_inherent_vowel(spelled: list[str]) -> None:
    if spelled and spelled[-1].lower().endswith("a"):
        spelled[-1] = spelled[-1][:-1]
