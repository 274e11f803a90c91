"""What an item of QTI says about the response to an interaction: its type, what is right, and marks."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from xml.etree.ElementTree import Element

from app.interchange.qti.elements import child, children, text_of
from app.interchange.qti.numbers import exact


@dataclass(frozen=True, slots=True)
class Declaration:
    """A `responseDeclaration`."""

    identifier: str
    base_type: str
    is_single: bool
    correct: tuple[str, ...]
    """The values of `correctResponse`."""
    mapping: Mapping[str, Fraction]
    """The marks of values; empty if there are none."""
    exact_case: frozenset[bool]
    """Whether case matters, of the entries of the mapping that say it."""


def declaration_of(item: Element, identifier: str) -> Declaration:
    """Return the declaration of a response. It is empty if the item has none."""
    found = next(
        (each for each in children(item, "responseDeclaration") if each.get("identifier") == identifier),
        Element("responseDeclaration"),
    )
    correct = child(found, "correctResponse")
    mapping = child(found, "mapping")
    entries = list(children(mapping, "mapEntry")) if mapping is not None else []
    return Declaration(
        identifier,
        found.get("baseType", ""),
        found.get("cardinality", "single") == "single",
        tuple(text for value in correct if (text := text_of(value))) if correct is not None else (),
        {
            " ".join(entry.get("mapKey", "").split()): marks
            for entry in entries
            if (marks := exact(entry.get("mappedValue", ""))) is not None
        },
        frozenset(said == "true" for entry in entries if (said := entry.get("caseSensitive"))),
    )
