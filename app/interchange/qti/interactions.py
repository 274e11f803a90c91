"""Interactions of QTI as question types of the bank: options and keys."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from xml.etree.ElementTree import Element

from app.engine.question_types import NO_KEY, OPTION_LETTERS, Interaction, JsonObject, type_with
from app.interchange.items import Choice
from app.interchange.qti.declarations import Declaration
from app.interchange.qti.elements import children
from app.interchange.qti.from_xhtml import TextReader
from app.interchange.qti.numbers import decimal, exact, plain
from app.interchange.qti.processing import Between, Near, Rules, Whole, Word

_IN_PART = "that some answers earn a part of the marks, or cost marks: a test's marking scheme says that"
_EXACT_CASE = "that case counts in some answers only; in the bank it counts in all or in none"


class NotSupported(Exception):
    """The bank has no such question. The message says why."""


class Mistake(Exception):
    """The file contradicts itself. The message says how."""


@dataclass(slots=True)
class Answers:
    """What an interaction becomes."""

    interaction: Interaction
    choices: list[Choice] = field(default_factory=list)
    key: JsonObject = field(default_factory=lambda: NO_KEY)


@dataclass(slots=True)
class Response:
    """An interaction, with what the item says about its response."""

    element: Element
    declared: Declaration
    rules: Rules
    texts: TextReader

    def answers(self) -> Answers:
        """Return options and key. Raises NotSupported and Mistake."""
        read = _READERS.get(self.element.tag)
        if read is None:
            asks = _OTHERS.get(self.element.tag, "asks for another kind of response")
            raise NotSupported(f"it {asks} ({self.element.tag})")
        if self.rules.unread is not None and self._has_key:
            raise NotSupported(f"it is marked by a rule that a key cannot express ({self.rules.unread})")
        answers = read(self)
        exact_case = {each.exact_case for each in self.rules.conditions if isinstance(each, Word)}
        exact_case |= self.declared.exact_case
        if exact_case == {True} and "texts" in answers.key:
            answers.key = {**answers.key, "case_sensitive": True}
        elif True in exact_case:
            self.texts.not_kept[_EXACT_CASE] = None
        marks = set(self.declared.mapping.values()) if self.rules.by_mapping else set()
        if len(marks - {Fraction(0)}) > 1 or len(self.rules.credits) > 1:
            self.texts.not_kept[_IN_PART] = None
        return answers

    @property
    def _has_key(self) -> bool:
        return (
            bool(self.declared.correct or self.declared.mapping)
            or self.element.tag != "extendedTextInteraction"
        )

    def best(self) -> list[str]:
        """The values that earn most by the mapping."""
        marks = self.declared.mapping
        most = max(marks.values(), default=Fraction(0))
        return [value for value, earned in marks.items() if earned == most > 0]

    def positive(self) -> list[str]:
        """The values that earn something by the mapping."""
        return [value for value, earned in self.declared.mapping.items() if earned > 0]

    def whole(self) -> Iterable[tuple[str, ...]]:
        """The whole responses that are right by the conditions."""
        for condition in self.rules.conditions:
            if isinstance(condition, Whole):
                yield self.declared.correct if condition.values is None else condition.values
            else:
                raise NotSupported("its options are marked by a rule that a key cannot express")


def _choice(response: Response) -> Answers:
    elements = [each for each in response.element if each.tag in ("simpleChoice", "inlineChoice")]
    is_shuffled = response.element.get("shuffle") == "true"
    choices = _choices(response.texts, elements, OPTION_LETTERS, is_shuffled=is_shuffled)
    ids = _ids(elements, choices)
    takes_one = response.declared.is_single or response.element.get("maxChoices") == "1"
    accepted = [list(answer) for answer in response.whole() if answer]
    if response.rules.by_mapping and not accepted:
        accepted = [[value] for value in response.best()] if takes_one else [response.positive()]
    if takes_one:
        accepted = [[value] for answer in accepted for value in answer]
    key: JsonObject = {
        "accepted": _normal([_known(value, ids) for value in answer] for answer in accepted if answer)
    }
    if takes_one and (as_true := _as_true_or_false(choices, key)):
        return as_true
    interaction = Interaction.ONE_OPTION if takes_one else Interaction.SEVERAL_OPTIONS
    return Answers(interaction, choices, key)


def _normal(accepted: Iterable[Sequence[str]]) -> list[list[str]]:
    return [list(each) for each in sorted({tuple(sorted(set(answer))) for answer in accepted})]


def _choices(
    texts: TextReader, elements: Sequence[Element], ids: Sequence[str], *, is_shuffled: bool = False
) -> list[Choice]:
    if len(elements) > len(ids):
        raise NotSupported(f"it has {len(elements)} options, and a question has at most {len(ids)}")
    return [
        Choice(each, _option_text(texts, element, each), is_shuffled and element.get("fixed") == "true")
        for each, element in zip(ids, elements, strict=False)
    ]


def _option_text(texts: TextReader, element: Element, option: str) -> Mapping[str, str]:
    images = len(texts.images)
    text = texts.texts(element)
    if not text:
        what = "is an image" if len(texts.images) > images else "has no text"
        raise NotSupported(f"option {option} {what}; an option of the bank is a text")
    if len(texts.images) > images:
        texts.not_kept[f"that an image belongs to option {option}: it is shown with the question"] = None
    return text


def _ids(elements: Sequence[Element], choices: Sequence[Choice]) -> dict[str, str]:
    """The ids of the bank by those of the file."""
    ids: dict[str, str] = {}
    for element, choice in zip(elements, choices, strict=True):
        if ids.setdefault(element.get("identifier", ""), choice.id) != choice.id:
            raise Mistake(f'two options have the identifier "{element.get("identifier", "")[:60]}"')
    return ids


def _known(value: str, ids: Mapping[str, str]) -> str:
    if value not in ids:
        raise Mistake(f'the right answer names "{value[:60]}", and no option has this identifier')
    return ids[value]


def _as_true_or_false(choices: Sequence[Choice], key: JsonObject) -> Answers | None:
    kind = type_with(Interaction.TRUE_OR_FALSE)
    named: dict[str, str] = {}
    for option in kind.shown_options(()):
        own = {language: text.casefold() for language, text in option["text"].items()}
        for choice in choices:
            if choice.text and all(own.get(each) == text.casefold() for each, text in choice.text.items()):
                named[choice.id] = option["id"]
    if len(named) != len(choices) or len(choices) != 2 or any(choice.is_fixed for choice in choices):
        return None
    accepted = _normal([named[each] for each in answer] for answer in key["accepted"])
    return Answers(Interaction.TRUE_OR_FALSE, [], {"accepted": accepted})


def _text_entry(response: Response) -> Answers:
    is_number = response.declared.base_type in ("float", "integer") or any(
        isinstance(each, Near | Between) for each in response.rules.conditions
    )
    return _number(response) if is_number else _word(response)


def _word(response: Response) -> Answers:
    texts: list[str] = []
    for condition in response.rules.conditions:
        if isinstance(condition, Whole):
            texts += response.declared.correct if condition.values is None else condition.values
        elif isinstance(condition, Word):
            texts += response.declared.correct if condition.text is None else [condition.text]
    if response.rules.by_mapping:
        best = response.best()
        texts += [text for text in response.declared.correct if text in best] + best
    texts = list(dict.fromkeys(texts))
    return Answers(Interaction.SHORT_TEXT, [], {"texts": texts} if texts else NO_KEY)


def _number(response: Response) -> Answers:
    found = [each for condition in response.rules.conditions for each in _right(condition, response)]
    if response.rules.by_mapping:
        found += [(value, "0", "0") for value in response.best()]
    if len(found) == 1 and isinstance(found[0], tuple) and exact(found[0][1]) == exact(found[0][2]):
        value, tolerance, _ = found[0]
        key = {"value": _number_text(value), "tolerance": _number_text(tolerance)}
        return Answers(Interaction.NUMBER, [], key)
    ranges = [_range(each) for each in found]
    return Answers(Interaction.NUMBER, [], {"ranges": ranges} if ranges else NO_KEY)


_Tolerant = tuple[str, str, str]
"""A number, and how far below and above it a response may be."""


def _right(condition: object, response: Response) -> Iterable[_Tolerant | Between]:
    """Yield the numbers that are right by a condition. Raises NotSupported."""
    if isinstance(condition, Whole):
        values = response.declared.correct if condition.values is None else condition.values
        return [(value, "0", "0") for value in values]
    if isinstance(condition, Between) and condition.has_ends:
        return [condition]
    if isinstance(condition, Near) and condition.has_ends:
        values = response.declared.correct if condition.value is None else (condition.value,)
        if condition.mode == "exact":
            return [(value, "0", "0") for value in values]
        if condition.mode == "absolute":
            return [(value, condition.below, condition.above) for value in values]
        if condition.mode == "relative":
            return [(v, _percent(v, condition.below), _percent(v, condition.above)) for v in values]
    raise NotSupported("its number is marked by a rule that a key cannot express")


def _range(right: _Tolerant | Between) -> JsonObject:
    if isinstance(right, Between):
        return {"from": _number_text(right.low), "to": _number_text(right.high)}
    value, below, above = right
    return {"from": _shifted(value, below, -1), "to": _shifted(value, above, 1)}


def _percent(value: str, percent: str) -> str:
    number, part = exact(value), exact(percent)
    if number is None or part is None:
        raise Mistake(f'"{value[:60]}" or its tolerance "{percent[:60]}" is not a number')
    return decimal(abs(number) * part / 100) or ""


def _shifted(value: str, by: str, sign: int) -> str:
    number, distance = exact(value), exact(by)
    if number is None or distance is None:
        raise Mistake(f'"{value[:60]}" is not a number')
    return _number_text(value) if not distance else decimal(number + sign * distance) or ""


def _number_text(text: str) -> str:
    number = plain(text)
    if number is None:
        raise Mistake(f'"{text[:60]}" is not a number, or has too many digits')
    return number


def _essay(response: Response) -> Answers:
    if response.declared.correct:
        response.texts.not_kept["its model answer"] = None
    return Answers(Interaction.ESSAY)


def _match(response: Response) -> Answers:
    sets = list(children(response.element, "simpleMatchSet"))
    if len(sets) != 2:
        raise Mistake(f"a matchInteraction has two lists (simpleMatchSet); this one has {len(sets)}")
    pairs = [tuple(pair.split()) for pair in _pairs(response)]
    if any(len(pair) != 2 for pair in pairs):
        raise Mistake('a right pair is written as two identifiers, such as "A P"')
    left, right = (list(children(each, "simpleAssociableChoice")) for each in sets)
    if not _fits(left, pairs) and _fits(right, [pair[::-1] for pair in pairs]):
        left, right, pairs = right, left, [pair[::-1] for pair in pairs]
    if pairs and not _fits(left, pairs):
        raise NotSupported("its items do not each belong to one item of the other list")
    first = _choices(response.texts, left, [str(number) for number in range(1, len(OPTION_LETTERS) + 1)])
    second = _choices(response.texts, right, OPTION_LETTERS)
    ids, others = _ids(left, first), _ids(right, second)
    by_left: dict[str, list[str]] = {}
    for one, other in pairs:
        by_left.setdefault(_known(one, ids), []).append(_known(other, others))
    key: JsonObject = {"pairs": {each: sorted(set(by_left[each])) for each in sorted(by_left)}}
    return Answers(Interaction.PAIRS, [*first, *second], key if by_left else NO_KEY)


def _pairs(response: Response) -> list[str]:
    whole = [values for values in response.whole() if values]
    if len(whole) > 1:
        raise NotSupported("several whole sets of pairs are right")
    if whole:
        return list(whole[0])
    return response.positive() if response.rules.by_mapping else []


def _fits(left: Sequence[Element], pairs: Sequence[tuple[str, ...]]) -> bool:
    """Whether each item of the first list has its pair; several only if a response may have one of them."""
    counts = [sum(pair[0] == each.get("identifier") for pair in pairs) for each in left]
    return all(
        count == 1 or (count > 1 and each.get("matchMax", "1") == "1")
        for count, each in zip(counts, left, strict=True)
    )


_READERS: Mapping[str, Callable[[Response], Answers]] = {
    "choiceInteraction": _choice,
    "inlineChoiceInteraction": _choice,
    "textEntryInteraction": _text_entry,
    "extendedTextInteraction": _essay,
    "matchInteraction": _match,
}

_OTHERS: Mapping[str, str] = {
    "associateInteraction": "asks to pair the items of one list",
    "customInteraction": "has a program of its own",
    "drawingInteraction": "asks for a drawing",
    "gapMatchInteraction": "has gaps to which words are dragged",
    "graphicAssociateInteraction": "asks to pair places of an image",
    "graphicGapMatchInteraction": "has gaps in an image",
    "graphicOrderInteraction": "asks to put places of an image in order",
    "hotspotInteraction": "asks for a place of an image",
    "hottextInteraction": "asks for words of a text",
    "mediaInteraction": "plays a recording",
    "orderInteraction": "asks to put items in order",
    "portableCustomInteraction": "has a program of its own",
    "positionObjectInteraction": "asks to place things on an image",
    "selectPointInteraction": "asks for a point of an image",
    "sliderInteraction": "has a slider",
    "uploadInteraction": "asks for a file",
}
"""What a candidate does in interactions that the bank does not have."""
