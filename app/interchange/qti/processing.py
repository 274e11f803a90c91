"""The rules by which an item of QTI marks its response, as far as a key can express them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import ClassVar
from xml.etree.ElementTree import Element

from app.interchange.qti.elements import child, text_of
from app.interchange.qti.numbers import exact

_TEMPLATES = {
    "match_correct": False,
    "CC2_match": False,
    "CC2_match_basic": False,
    "map_response": True,
    "CC2_map_response": True,
}
"""Whether a template adds up marks of values. The others compare with what is declared as correct."""
_BRANCHES = ("responseIf", "responseElseIf", "responseElse")
_FROM = {"gte": True, "gt": False}
_UP_TO = {"lte": True, "lt": False}


@dataclass(frozen=True, slots=True)
class Whole:
    """The response is exactly these values. None: those that are declared as correct."""

    values: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Word:
    """The response is a text. None: the one that is declared as correct."""

    text: str | None
    exact_case: bool


@dataclass(frozen=True, slots=True)
class Near:
    """The response is a number near a value. None: the one that is declared as correct."""

    value: str | None
    mode: str
    below: str
    above: str
    has_ends: bool


@dataclass(frozen=True, slots=True)
class Between:
    """The response is a number between two others."""

    low: str
    high: str
    has_ends: bool


Condition = Whole | Word | Near | Between


class _Unread(Exception):
    """A rule that no key can express."""


@dataclass(slots=True)
class Rules:
    """What earns marks. Each condition is enough alone."""

    conditions: list[Condition] = field(default_factory=list)
    by_mapping: bool = False
    """Whether the marks of values are added up."""
    credits: set[Fraction | None] = field(default_factory=set)
    """What the conditions earn; None where the item says it elsewhere."""
    unread: str | None = None
    """A rule that no key can express."""


def rules_of(item: Element, response: str) -> Rules:
    """Return the rules for a response. Without any, what is declared as correct is right."""
    processing = child(item, "responseProcessing")
    template = processing.get("template") if processing is not None else None
    if processing is None or (not len(processing) and not template):
        return Rules([Whole()])
    if template and not len(processing):
        name = template.rstrip("/").rpartition("/")[2].removesuffix(".xml")
        if name not in _TEMPLATES:
            return Rules(unread=f"the template {name[:40]}")
        return Rules(by_mapping=True) if _TEMPLATES[name] else Rules([Whole()])
    reader = _Reader(response)
    try:
        reader.read(processing)
    except _Unread as unread:
        reader.rules.unread = str(unread)
    return reader.rules


@dataclass(slots=True)
class _Reader:
    """Reads rules that are written out."""

    response: str
    rules: Rules = field(default_factory=Rules)

    def read(self, rules: Element) -> None:
        """Read the rules that ask for the response. The others limit the sum, or choose feedback."""
        for rule in rules:
            if not self._asks(rule):
                continue
            if rule.tag == "setOutcomeValue":
                self._read_value(rule)
            elif rule.tag == "responseCondition":
                for branch in rule:
                    self._read_branch(branch)
            else:
                raise _Unread(rule.tag)

    def _asks(self, element: Element) -> bool:
        return any(part.get("identifier") == self.response for part in element.iter())

    def _read_value(self, rule: Element) -> None:
        if len(rule) == 1 and rule[0].tag == "variable":  # The response itself chooses feedback.
            return
        for part in rule.iter():
            if part.tag == "mapResponse" and part.get("identifier") == self.response:
                self.rules.by_mapping = True
            elif part.get("identifier") == self.response:
                raise _Unread(part.tag)

    def _read_branch(self, branch: Element) -> None:
        parts = list(branch)
        tests = [parts.pop(0)] if branch.tag != "responseElse" and parts else []
        if branch.tag not in _BRANCHES:
            raise _Unread(branch.tag)
        if parts and all(part.tag == "setOutcomeValue" and _is_feedback(part) for part in parts):
            return
        for part in parts:
            if part.tag == "setOutcomeValue":
                self._read_value(part)
        nested = [part for part in parts if part.tag == "responseCondition"]
        found = [condition for test in tests for condition in self._conditions(test)]
        if found and nested:
            raise _Unread("conditions within conditions")
        for part in nested:
            self.read([part])  # type: ignore[arg-type]
        if found:
            self.rules.credits.add(_credit(parts))
            self.rules.conditions += found

    def _conditions(self, test: Element) -> Iterator[Condition]:
        if not self._asks(test) or self._is_answered(test) or test.tag == "isNull":
            return
        if test.tag == "or":
            for part in test:
                yield from self._conditions(part)
        elif test.tag == "and":
            yield from self._all_of([part for part in test if not self._is_answered(part)])
        elif test.tag in self._READERS:
            yield from self._READERS[test.tag](self, test)
        else:
            raise _Unread(test.tag)

    def _is_answered(self, test: Element) -> bool:
        return test.tag == "not" and len(test) == 1 and test[0].tag == "isNull"

    def _all_of(self, parts: Sequence[Element]) -> Iterator[Condition]:
        if len(parts) == 1:
            yield from self._conditions(parts[0])
            return
        by_tag = {part.tag: part for part in parts}
        low = next((tag for tag in _FROM if tag in by_tag), None)
        high = next((tag for tag in _UP_TO if tag in by_tag), None)
        if len(parts) != 2 or low is None or high is None:
            raise _Unread("and")
        yield Between(
            self._value(by_tag[low]), self._value(by_tag[high]), has_ends=_FROM[low] and _UP_TO[high]
        )

    def _value(self, comparison: Element) -> str:
        """Return the constant of `response >= constant`."""
        if len(comparison) != 2 or comparison[0].get("identifier") != self.response:
            raise _Unread(comparison.tag)
        return _constant(comparison[1])

    def _other(self, test: Element) -> Element:
        """Return what the response is compared with."""
        others = [part for part in test if part.tag != "variable" or part.get("identifier") != self.response]
        if len(test) != 2 or len(others) != 1:
            raise _Unread(test.tag)
        return others[0]

    def _match(self, test: Element) -> Iterator[Condition]:
        other = self._other(test)
        if other.tag == "correct":
            yield Whole()
        elif other.tag in ("multiple", "ordered"):
            yield Whole(tuple(map(_constant, other)))
        else:
            yield Whole((_constant(other),))

    def _member(self, test: Element) -> Iterator[Condition]:
        other = self._other(test)
        if other.tag != "multiple" or test[0] is other:
            raise _Unread(test.tag)
        yield from (Whole((_constant(value),)) for value in other)

    def _equal(self, test: Element) -> Iterator[Condition]:
        other = self._other(test)
        below, above = (test.get("tolerance", "0").split() * 2)[:2]
        yield Near(
            None if other.tag == "correct" else _constant(other),
            test.get("toleranceMode", "exact"),
            below,
            above,
            has_ends="false" not in (test.get("includeLowerBound"), test.get("includeUpperBound")),
        )

    def _string_match(self, test: Element) -> Iterator[Condition]:
        other = self._other(test)
        if test.get("substring") == "true":
            raise _Unread("a part of a text")
        yield Word(
            None if other.tag == "correct" else _constant(other),
            exact_case=test.get("caseSensitive") == "true",
        )

    _READERS: ClassVar = {"match": _match, "member": _member, "equal": _equal, "stringMatch": _string_match}


def _constant(element: Element) -> str:
    if element.tag != "baseValue":
        raise _Unread(element.tag)
    return text_of(element)


def _is_feedback(rule: Element) -> bool:
    return any(part.get("baseType") == "identifier" for part in rule.iter("baseValue"))


def _credit(parts: Sequence[Element]) -> Fraction | None:
    """Return the marks that a branch gives as a number; None if it names a variable, or gives none."""
    given = [exact(text_of(value)) for part in parts for value in part.iter("baseValue")]
    numbers = [value for value in given if value is not None]
    return numbers[0] if len(numbers) == 1 else None
