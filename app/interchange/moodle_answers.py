"""The answers of Moodle's question types, as choices and keys of the bank, and back."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from string import ascii_lowercase

from app.engine.question_types import Interaction, JsonObject
from app.engine.typed_numbers import plain_number
from app.interchange.errors import MistakeInQuestion, UnsupportedQuestion
from app.interchange.items import Choice, Texts

WHOLE = Fraction(100)
_ROUNDED = Fraction(1, 10)
"""Percents of a third are written as 33.33333 or as 33.3."""
_MAX_DECIMAL_PLACES = 40
_DECIMAL = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_WITH_EXPONENT = re.compile(r"[+-]?[0-9]{1,20}(\.[0-9]{0,20})?[eE][+-]?[0-9]{1,2}")


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer of a question, and what it earns in percent."""

    percent: Fraction
    text: str = ""
    texts: Texts = field(default_factory=dict)
    """Of an option, by language."""
    tolerance: str = ""


@dataclass(frozen=True, slots=True)
class Answered:
    """The choices and the key of a question."""

    interaction: Interaction
    choices: Sequence[Choice] = ()
    key: JsonObject = field(default_factory=dict)
    not_kept: Sequence[str] = ()


def choice(answers: Sequence[Answer], *, is_single: bool) -> Answered:
    """A multiple choice question of Moodle. `is_single`: one option can be marked."""
    if len(answers) < 2:
        raise MistakeInQuestion("a choice needs at least two options")
    if len(answers) > len(ascii_lowercase):
        raise UnsupportedQuestion(f"it has {len(answers)} options")
    letters = ascii_lowercase[: len(answers)]
    choices = [Choice(letter, answer.texts) for letter, answer in zip(letters, answers, strict=True)]
    if empty := [each.id for each in choices if not each.text]:
        raise MistakeInQuestion(f"option {empty[0]} has no text")
    right = [letter for letter, answer in zip(letters, answers, strict=True) if answer.percent > 0]
    percents = {answer.percent for answer in answers if answer.percent > 0}
    costs = ["what a wrong option costs"] if any(answer.percent < 0 for answer in answers) else []
    if not right:
        raise MistakeInQuestion("no option is right")
    if is_single:
        if percents != {WHOLE}:
            raise UnsupportedQuestion("an option earns a part of the marks alone")
        return Answered(Interaction.ONE_OPTION, choices, {"accepted": [[each] for each in right]}, costs)
    if max(percents) - min(percents) > _ROUNDED or abs(sum_of(answers) - WHOLE) > _ROUNDED * len(right):
        raise UnsupportedQuestion("its right options earn different parts of the marks")
    return Answered(Interaction.SEVERAL_OPTIONS, choices, {"accepted": [right]}, costs)


def sum_of(answers: Sequence[Answer]) -> Fraction:
    """What all right options earn together."""
    return sum((answer.percent for answer in answers if answer.percent > 0), Fraction(0))


def true_or_false(*, is_true: bool) -> Answered:
    """A statement that is true or false."""
    return Answered(Interaction.TRUE_OR_FALSE, key={"accepted": [["true" if is_true else "false"]]})


def short_text(answers: Sequence[Answer], *, case_sensitive: bool = False) -> Answered:
    """A short answer of Moodle, where `*` stands for any text and `\\*` for the sign."""
    spellings, kept = [], []
    for answer in answers:
        if answer.percent == 0:
            kept.append("a wrong answer that has a comment")
        elif answer.percent != WHOLE:
            raise UnsupportedQuestion("a spelling earns a part of the marks")
        elif "*" in answer.text.replace(r"\*", ""):
            raise UnsupportedQuestion(f'"{answer.text[:40]}" accepts any text in the place of "*"')
        else:
            spellings.append(answer.text.replace(r"\*", "*"))
    if not spellings or not all(spelling.strip() for spelling in spellings):
        raise MistakeInQuestion("the question has no right answer, or an empty one")
    key: dict[str, object] = {"texts": spellings}
    if case_sensitive:
        key["case_sensitive"] = True
    return Answered(Interaction.SHORT_TEXT, key=key, not_kept=kept)


def number(answers: Sequence[Answer]) -> Answered:
    """A number with a tolerance, or several, or ranges."""
    kept = ["a wrong answer that has a comment"] if any(not answer.percent for answer in answers) else []
    right = [answer for answer in answers if answer.percent]
    if any(answer.percent != WHOLE for answer in right):
        raise UnsupportedQuestion("a number earns a part of the marks")
    if not right:
        raise MistakeInQuestion("the question has no right number")
    if any(answer.text == "*" for answer in right):
        raise UnsupportedQuestion("any number is right")
    if len(right) == 1 and ".." not in right[0].text:
        value, tolerance = _plain(right[0].text), _plain(right[0].tolerance or "0")
        return Answered(Interaction.NUMBER, key={"value": value, "tolerance": tolerance}, not_kept=kept)
    ranges = [_range(answer) for answer in right]
    return Answered(Interaction.NUMBER, key={"ranges": ranges}, not_kept=kept)


def as_ranges(answered: Answered, ends: Sequence[Sequence[str]] | None) -> Answered:
    """The same numbers as ranges that begin and end as `ends` says, if these are the same numbers."""
    if ends is None:
        return answered
    key = answered.key
    if "value" in key:
        value, tolerance = Fraction(key["value"]), Fraction(key["tolerance"])
        said = [(value - tolerance, value + tolerance)]
    else:
        said = [(Fraction(each["from"]), Fraction(each["to"])) for each in key["ranges"]]
    if said != [tuple(Fraction(_plain(end)) for end in each) for each in ends]:
        return answered
    ranges = [{"from": low, "to": high} for low, high in ends]
    return replace(answered, key={"ranges": ranges})


def decimal_or_unsupported(number: str) -> str:
    """Return a number of decimal digits. Raises UnsupportedQuestion for any other, such as 22/7."""
    if not _DECIMAL.fullmatch(number):
        raise UnsupportedQuestion(f"{number} is no decimal number")
    return number


def _range(answer: Answer) -> Mapping[str, str]:
    low, dots, high = answer.text.partition("..")
    if dots:
        return {"from": _plain(low.strip()), "to": _plain(high.strip())}
    value, tolerance = Fraction(_plain(answer.text)), Fraction(_plain(answer.tolerance or "0"))
    return {"from": decimal_of(value - tolerance), "to": decimal_of(value + tolerance)}


def _plain(text: str) -> str:
    """A number as the bank writes it. Moodle writes large ones as 1.5E+8."""
    try:
        return decimal_of(Fraction(text)) if _WITH_EXPONENT.fullmatch(text) else plain_number(text)
    except ValueError:
        raise MistakeInQuestion(f'"{text[:40]}" is no number') from None


def decimal_of(value: Fraction) -> str:
    """A number as decimal digits. Sums and differences of decimals have finitely many."""
    for places in range(_MAX_DECIMAL_PLACES):
        shifted = value * 10**places
        if shifted.denominator == 1:
            digits = str(abs(shifted.numerator)).rjust(places + 1, "0")
            sign = "-" if value < 0 else ""
            whole, part = digits[: len(digits) - places], digits[len(digits) - places :]
            return f"{sign}{whole}.{part}" if part else f"{sign}{whole}"
    raise UnsupportedQuestion("a range has too many decimal places")


def pairs(rows: Sequence[tuple[Texts, Texts]], order: Sequence[str] = ()) -> Answered:
    """A matching of Moodle. A row without a left text has a right one that belongs to nothing.

    `order` has the ids of the right texts in the order in which they first stand there.
    """
    left: list[Choice] = []
    right: dict[tuple[tuple[str, str], ...], Choice] = {}
    key: dict[str, list[str]] = {}
    for said, matched in rows:
        if not matched:
            raise MistakeInQuestion("an item is matched with nothing")
        place = len(right)
        name = order[place] if place < len(order) else ascii_lowercase[min(place, 25)]
        choice = right.setdefault(tuple(sorted(matched.items())), Choice(name, matched))
        if said:
            left.append(Choice(str(len(left) + 1), said))
            key[left[-1].id] = [choice.id]
    if len(left) < 2:
        raise MistakeInQuestion("a matching needs at least two pairs")
    if len(right) > len(ascii_lowercase) or len({choice.id for choice in right.values()}) < len(right):
        raise UnsupportedQuestion(f"it has {len(right)} items to match with")
    if len(right) < 2:
        raise UnsupportedQuestion("it has one item to match with only")
    ordered = sorted(right.values(), key=lambda choice: choice.id)
    return Answered(Interaction.PAIRS, [*left, *ordered], {"pairs": key})


def rows_of_pairs(choices: Sequence[Choice], key: JsonObject) -> list[tuple[Texts, Choice]]:
    """The rows of a matching that `pairs` reads: each left text with its right one, then all others.

    Raises UnsupportedQuestion if a left item may be matched with several.
    """
    matched: Mapping[str, Sequence[str]] = key["pairs"]
    if any(len(right) != 1 for right in matched.values()):
        raise UnsupportedQuestion("an item may be matched with several others")
    by_id = {choice.id: choice for choice in choices}
    rows: list[tuple[Texts, Choice]] = [
        (choice.text, by_id[matched[choice.id][0]]) for choice in choices if choice.id.isdigit()
    ]
    used = {choice.id for _, choice in rows}
    rest = (choice for choice in choices if not choice.id.isdigit() and choice.id not in used)
    return [*rows, *(({}, choice) for choice in rest)]


def order_of(rows: Sequence[tuple[Texts, Choice]]) -> list[str]:
    """The ids of the right texts in the order in which they first stand in the rows."""
    return list(dict.fromkeys(choice.id for _, choice in rows))
