"""Options that keep their places: "None of the above", options that name other options, and marked ones."""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

_LABELS = ("abcdefghij", "कखगघ", "अबसद")
"""The letters with which options are printed, by place."""

_OTHERS = "(above|these|those|them|following|given|foregoing|others?)"
_STAYS_LAST = re.compile(
    rf"(none|all|any|both|neither|either|some|not any|more than one|two or more|one or more)"
    rf"( one)?( of)?( the| these| those)?( \w+)?( given)? {_OTHERS}( .*)?"
    r"|no (error|improvement|correction|change)( required| needed)?"
    r"|ये (सभी|सब|दोनों)"
    r"|(उपर्युक्त|उपरोक्त|उपयुक्त|उक्त|ऊपर|ऊपर दिए गए|इन|इनमें|दिए गए|दिये गये|निम्नलिखित)( \S+){0,5}?"
    r" (कोई( भी)? नहीं|एक भी नहीं|कोई( भी| एक)?|सभी|सब|दोनों|एक से अधिक)( .*)?"
    r"|कोई (त्रुटि|सुधार|परिवर्तन) (नहीं|आवश्यक नहीं)"
)
_LAST_WORDS = frozenset(
    {"none", "all", "neither", "none of them", "all of them", "कोई नहीं", "कोई भी नहीं", "सभी"}
)
"""Texts that mean the other options only in the last place."""
_MAX_WORDS = 12

_OPTION_WORDS = frozenset({"option", "options", "choice", "choices", "विकल्प", "विकल्पों"})
_ENGLISH = (
    "both and or nor neither either only all of the answer answers is are correct true right incorrect wrong"
    " false not but also alone same as above together"
)
_HINDI = "और तथा एवं व या दोनों केवल सिर्फ न ना तो ही सही सत्य गलत असत्य हैं है में से कोई नहीं सभी अथवा"
_BETWEEN = _OPTION_WORDS | frozenset(f"{_ENGLISH} {_HINDI}".split())
"""Words that an option has beside the letters of the options that it names."""
_JOINED = re.compile(r"\(\s*(\w)\s*\)\s*(?:,|&|and|or|nor|और|तथा|एवं|व|या)\s*\(\s*(\w)\s*\)")
_OF_A_LAW = re.compile(r"(clauses?|articles?|sections?|para\w*|rules?|अनुच्छेद|धारा|खंड)\s*[\d()]*\s*$|\d\s*$")
_BREAKS = re.compile(r"[\s,;./&()\[\]{}'\"’‘“”:–—-]+")


class Reason(StrEnum):
    """Why options keep their places."""

    MARKED = "marked"
    STAYS_LAST = "stays_last"
    REFERS_TO_OPTIONS = "refers_to_options"


@dataclass(frozen=True, slots=True)
class KeptOptions:
    """The options of a question that keep their places when options are shuffled, and why."""

    ids: tuple[str, ...] = ()
    reasons: tuple[Reason, ...] = ()


def kept_options(text: Mapping[str, str], options: Sequence[Mapping[str, Any]]) -> KeptOptions:
    """Return the options that keep their places.

    An option that names others, such as "Both (a) and (b)", keeps all in their places. From "None of the
    above" on, in English or Hindi, each option keeps its place: what is above it stays the same. An option
    with `fixed` keeps its own. Letters that the question itself has name its statements and not options.
    """
    reasons = []
    kept = {option["id"] for option in options if option.get("fixed")}
    if kept:
        reasons.append(Reason.MARKED)
    if any(_names_others(place, options, text) for place in range(len(options))):
        return KeptOptions(tuple(option["id"] for option in options), (*reasons, Reason.REFERS_TO_OPTIONS))
    last = [
        place
        for place, option in enumerate(options)
        if _stays_last(option, is_last=place == len(options) - 1)
    ]
    if last:
        kept |= {option["id"] for option in options[last[0] :]}
        reasons.append(Reason.STAYS_LAST)
    return KeptOptions(tuple(each["id"] for each in options if each["id"] in kept), tuple(reasons))


def _stays_last(option: Mapping[str, Any], *, is_last: bool) -> bool:
    for text in option["text"].values():
        words = " ".join(word for word in _BREAKS.split(_plain(text)) if word)
        if is_last and words in _LAST_WORDS:
            return True
        if len(words.split()) <= _MAX_WORDS and _STAYS_LAST.fullmatch(words):
            return True
    return False


def _names_others(place: int, options: Sequence[Mapping[str, Any]], stem: Mapping[str, str]) -> bool:
    labels = {letter for letters in _LABELS for letter in letters[: len(options)]}
    own = {letters[place] for letters in _LABELS if place < len(letters)} | {str(place + 1)}
    for text in options[place]["text"].values():
        named = _named(_plain(text), labels, len(options))
        if named - own and not any(
            all(_has_label(_plain(each), label) for label in named) for each in stem.values()
        ):
            return True
    return False


def _named(text: str, labels: set[str], count: int) -> set[str]:
    """Return the labels of options that a text names."""
    words = [word for word in _BREAKS.split(text) if word]
    found = {word for word in words if word in labels}
    others = [word for word in words if word not in labels]
    if found and others and all(word in _BETWEEN for word in others):
        says_so = f"({min(found)})" in text or any(word in _OPTION_WORDS for word in others)
        if len(found) > 1 or says_so:
            return found
    numbers = {word for word in words if word.isdigit() and 1 <= int(word) <= count}
    if numbers and _OPTION_WORDS & set(words) and all(word in _BETWEEN | numbers for word in words):
        return numbers
    return set(_pairs(text, labels))


def _pairs(text: str, labels: set[str]) -> Iterator[str]:
    """Yield the labels of `(a) and (b)` within a longer text, unless they are parts of a law."""
    for pair in _JOINED.finditer(text):
        if pair[1] in labels and pair[2] in labels and not _OF_A_LAW.search(text[: pair.start()]):
            yield from (pair[1], pair[2])


def _has_label(stem: str, label: str) -> bool:
    """Whether the text has something that this label names: `(a)`, `a.` at a line's start, `Statement A`."""
    label = re.escape(label)
    return bool(
        re.search(
            rf"\(\s*{label}\s*\)|^\W*{label}\s*[.):\-–]|(?:^|[\s|]){label}[.):]\s"
            rf"|(?:statements?|assertion|reason|list|column|कथन|अभिकथन|कारण|सूची|स्तंभ)[\s-]*\(?{label}(?!\w)",
            stem,
            re.MULTILINE,
        )
    )


def _plain(text: str) -> str:
    """The text without case, joiners and emphasis."""
    folded = unicodedata.normalize("NFC", text).casefold()
    return re.sub("[\u200c\u200d*_`।]", "", folded).strip()
