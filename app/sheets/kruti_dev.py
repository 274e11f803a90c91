"""Kruti Dev 010: Hindi typed as Latin letters and signs, for which a font draws parts of Devanagari.

Signs stand in the order in which they are drawn: a short i before its syllable, and the r that begins a
cluster behind it. Unicode has the order in which they are spoken.
"""

import re
from collections.abc import Callable
from typing import Literal

# Most consonants are half without the stroke `k`, and full with it.
_HALF = {
    "D": "क",
    "[": "ख",
    "X": "ग",
    "?": "घ",
    "P": "च",
    "T": "ज",
    "÷": "झ",
    "Ö": "झ",
    "¥": "ञ",
    ".": "ण",
    "R": "त",
    "F": "थ",
    "/": "ध",
    "è": "ध",
    "Ë": "ध",
    "U": "न",
    "I": "प",
    "¶": "फ",
    "C": "ब",
    "H": "भ",
    "E": "म",
    "¸": "य",
    "Y": "ल",
    "O": "व",
    "'": "श",
    "Ü": "श",
    '"': "ष",
    "L": "स",
    "º": "ह",
    "{": "क्ष",
    "«": "त्र",
    "Ù": "त्त",
    "™": "न्न",
}
_FULL = {
    # Letters that are full as they are.
    "d": "क",
    "x": "ग",
    "Ä": "घ",
    "³": "ङ",
    "p": "च",
    "N": "छ",
    "t": "ज",
    ">": "झ",
    "V": "ट",
    "B": "ठ",
    "M": "ड",
    "<": "ढ",
    "r": "त",
    "n": "द",
    "u": "न",
    "i": "प",
    "Q": "फ",
    "c": "ब",
    "Ò": "भ",
    "e": "म",
    ";": "य",
    "j": "र",
    "y": "ल",
    "G": "ळ",
    "o": "व",
    "l": "स",
    "g": "ह",
    # Clusters.
    "=": "त्र",
    "=kk": "त्रा",
    "K": "ज्ञ",
    "J": "श्र",
    "Ø": "क्र",
    "ä": "क्त",
    "ô": "क्क",
    "Ý": "फ्र",
    "|": "द्य",
    "}": "द्व",
    ")": "द्ध",
    "í": "द्द",
    "Ì": "द्द",
    "æ": "द्र",
    "ç": "प्र",
    "Á": "प्र",
    "é": "न्न",
    "à": "ह्न",
    "á": "ह्य",
    "â": "हृ",
    "ã": "ह्म",
    "ê": "ट्ट",
    "Í": "ट्ट",
    "ë": "ट्ठ",
    "Î": "ट्ठ",
    "ì": "ड्ड",
    "Ï": "ड्ड",
    "ï": "ड्ढ",
    "Ô": "ड्ढ",
    "Ñ": "कृ",
    "—": "कृ",
    "–": "दृ",
    "#": "रु",
    ":": "रू",
    # Vowels.
    "v": "अ",
    "vk": "आ",
    "vks": "ओ",
    "vkS": "औ",
    "vkW": "ऑ",
    "v‚": "ऑ",
    "b": "इ",
    "bZ": "ई",
    "Ã": "ई",
    "b±": "ईं",
    "m": "उ",
    "Å": "ऊ",
    "_": "ऋ",
    ",": "ए",
    ",s": "ऐ",
}
_SIGNS = {
    "k": "ा",
    "h": "ी",
    "È": "ीं",
    "q": "ु",
    "w": "ू",
    "`": "ृ",
    "s": "े",
    "¢": "े",
    "S": "ै",
    "ks": "ो",
    "¨": "ो",
    "kS": "ौ",
    "©": "ौ",
    "W": "ॅ",
    "kW": "ॉ",
    "‚": "ॉ",
    "a": "ं",
    "¡": "ँ",
    "%": "ः",
    "z": "्र",
    "ª": "्र",
    "î": "्य",
    "Ó": "्य",
    "~": "्",
    "+": "़",
    "·": "ऽ",
    "•": "ऽ",
}
_PUNCTUATION = {
    "A": "।",
    "-": ".",
    "&": "-",
    "%&": ":-",
    "]": ",",
    "\\": "?",
    "(": ";",
    "@": "/",
    "¼": "(",
    "½": ")",
    "¿": "{",
    "À": "}",
    "¾": "=",
    "$": "+",
    "^": "‘",
    "*": "’",
    "Þ": "“",
    "ß": "”",
    "Œ": "॰",
    "ñ": "॰",
    **dict(zip("åƒ„…†‡ˆ‰Š‹", "०१२३४५६७८९", strict=True)),
}
_REPH, _SHORT_I = "Z", "f"
_TABLE = {
    **_FULL,
    **_SIGNS,
    **_PUNCTUATION,
    **{sign: f"{letters}्" for sign, letters in _HALF.items()},
    **{f"{sign}k": letters for sign, letters in _HALF.items()},
    **{f"{sign}+k": f"{letters}़" for sign, letters in _HALF.items()},
    "±": "Zं",
}
_TOKEN = re.compile("|".join(map(re.escape, sorted(_TABLE, key=len, reverse=True))))

_CONSONANT = "[\u0915-\u0939]\u093c?"
_MATRAS = "[\u093e-\u094c]"
_CLUSTER = f"(?:{_CONSONANT}\u094d)*{_CONSONANT}"
# Typists put the signs of a syllable in any order.
_EARLY_REPH = re.compile(r"Z([khqwsS`]+)")
_NUKTA_BEHIND = re.compile("([\u093e-\u094d])\u093c")
_I_BEFORE = re.compile(f"{_SHORT_I}({_CLUSTER})")
_REPH_BEHIND = re.compile(f"({_CLUSTER}{_MATRAS}*){_REPH}")
_VOWEL_SIGNS = {"ाे": "ो", "ाै": "ौ", "ाॅ": "ॉ", "अा": "आ", "आे": "ओ", "आै": "औ", "एे": "ऐ"}

_IMPOSSIBLE = re.compile(
    f"(?:^|[^\u0900-\u097f])(?:{_MATRAS}|[\u0901-\u0903\u093c\u094d])"  # a sign without a letter
    f"|\u094d(?:{_MATRAS}|$|[^\u0900-\u097f])"  # half a letter at the end of a word
    f"|{_MATRAS}{_MATRAS}|[\u0905-\u0914]{_MATRAS}"  # two vowels of one syllable
    "|\u0964[\u0900-\u0963\u0966-\u097f]|[A-Za-z]",
    re.MULTILINE,
)


def to_unicode(text: str) -> str:
    """Return the Hindi that the font shows. Digits and signs without a meaning of their own stay."""
    text = _EARLY_REPH.sub(r"\1Z", text).replace("f=k", "f=")
    text = _TOKEN.sub(lambda token: _TABLE[token[0]], text)
    text = _NUKTA_BEHIND.sub("\u093c\\1", text)
    text = _I_BEFORE.sub("\\1\u093f", text)
    for drawn, spoken in _VOWEL_SIGNS.items():
        text = text.replace(drawn, spoken)
    return _REPH_BEHIND.sub("\u0930\u094d\\1", text)


def is_doubtful(converted: str) -> bool:
    """Return whether a converted text cannot be Hindi: perhaps a part of it was in an ordinary font."""
    return _IMPOSSIBLE.search(converted) is not None


LegacyFont = Literal["krutidev"]
LEGACY_FONTS: dict[LegacyFont, Callable[[str], str]] = {"krutidev": to_unicode}
"""What turns the text of a font into Unicode, by the name of the font."""
