"""The forms in which people write the key of a choice: `B`, `(b)`, `Option B`, `2`, `ख`, an option's text."""

import re
import unicodedata
from collections.abc import Mapping, Sequence

from app.sentences import Sentence

_LETTERS = "abcdef"
_PLACES = {
    **dict(zip("123456", _LETTERS, strict=True)),
    **dict(zip("१२३४५६", _LETTERS, strict=True)),
    **dict(zip("कखगघङच", _LETTERS, strict=True)),
    **dict(zip("अबसद", _LETTERS, strict=False)),
}
_ONE = re.compile(
    r"(?:(?:option|opt|choice|ans|answer|विकल्प|उत्तर)\s*[.:\-]?\s*)?[(\[{]?\s*(?P<place>\w)\s*[)\]}.:]{0,2}"
)
_SEVERAL = re.compile(r"[\s()]*\w[\s()]*(?:(?:,|/|&|\band\b|\bor\b|और|या)[\s()]*\w[\s()]*)+")
_NO_LONGER_MARKED = frozenset(
    ("x", "*", "bonus", "all", "cancelled", "canceled", "cancel", "deleted", "grace", "रद्द", "निरस्त", "बोनस")
)


def plain_key(cell: str, options: Mapping[str, Sequence[str]]) -> str:
    """Return the key as `key_from_cell` reads it. What is in none of the forms is returned as it is.

    `options` are the texts of each option by its letter. Raises ValueError if the cell can mean two things.
    """
    said = unicodedata.normalize("NFKC", cell).strip().casefold()
    if len(said) == 1 and said in _LETTERS:
        return said
    by_text = [letter for letter, texts in options.items() if said in map(_compared, texts)]
    place = _place(said)
    if by_text and place is not None and by_text != [place]:
        raise ValueError(
            Sentence(
                '"{cell}" is the text of option {text} and the place of option {place}. Write the letter.',
                cell=cell,
                text=by_text[0],
                place=place,
            )
        )
    if len(by_text) == 1:
        return by_text[0]
    if place is not None:
        return place
    if said in _NO_LONGER_MARKED:
        raise ValueError(
            Sentence('"{cell}" is not an option. Write "dropped" if the question is not marked.', cell=cell)
        )
    if _SEVERAL.fullmatch(said):
        raise ValueError(_which_of_several(cell, said))
    return cell


def _compared(text: str) -> str:
    return unicodedata.normalize("NFKC", text).strip().casefold()


def _place(said: str) -> str | None:
    found = _ONE.fullmatch(said)
    if found is None:
        return None
    place = found["place"]
    return place if place in _LETTERS else _PLACES.get(place)


def _which_of_several(cell: str, said: str) -> Sentence:
    words = re.sub(r"\b(and|or)\b|और|या", " ", said)
    letters = [_PLACES.get(each, each) for each in re.findall(r"\w", words)]
    both, either = "".join(letters), "|".join(letters)
    return Sentence(
        '"{cell}" can mean two things. Write "{both}" if they are right together only, "{either}" if each of'
        " them is right alone.",
        cell=cell,
        both=both,
        either=either,
    )
