"""Names to slugs: lower-case ASCII words joined by hyphens, from any script."""

import hashlib
import re
import unicodedata

LONGEST_SLUG = 100


def slug_of(name: str) -> str:
    """A slug that says the name: `Current Affairs` → `current-affairs`, `राजव्यवस्था` → `raajavyavasthaa`.

    The same name always gives the same slug; a name without a letter or digit gives a part of its hash.
    """
    latin = _transliterated(unicodedata.normalize("NFKC", name)).lower()
    slug = "-".join(re.findall(r"[a-z0-9]+", latin))[:LONGEST_SLUG].strip("-")
    return slug or hashlib.sha256(name.encode()).hexdigest()[:12]


def _transliterated(text: str) -> str:
    """Spell what is not ASCII by its Unicode names, which follow one pattern for all scripts of India."""
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
    """The last word of the name of a letter, vowel sign or digit; nasals are n, other marks are silent."""
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
