"""The content of result sheets, certificates, merit lists and response sheets, with every word decided.

A label is a list of lines, one for each language. A value is one line, printed as it is. `institute` is ""
if the institute has no name, and then takes no room.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Label = Sequence[str]


@dataclass(frozen=True, slots=True)
class PrintedFact:
    """A value with its label."""

    label: Label
    value: str


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure in large type. `below` says what it is of."""

    label: Label
    value: str
    below: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """The head of a column."""

    label: Label
    align: Literal["left", "right", "center"] = "right"


@dataclass(frozen=True, slots=True)
class Verification:
    """By what staff find the result again."""

    heading: str
    facts: Sequence[PrintedFact]
    note: Label


@dataclass(frozen=True, slots=True)
class SheetContent:
    """A result sheet."""

    language: Literal["en", "hi"]
    institute: str
    title: Label
    subtitle: Label
    facts: Sequence[PrintedFact]
    figures: Sequence[Figure]
    columns: Sequence[Column]
    rows: Sequence[Sequence[str]]
    more_facts: Sequence[PrintedFact]
    notes: Sequence[str]
    verification: Verification
    footer: str


@dataclass(frozen=True, slots=True)
class CertificateContent:
    """A certificate. The statement is split where the large words stand."""

    language: Literal["en", "hi"]
    institute: str
    title: Label
    opening: Label
    name: str
    statement: Label
    exam: Label
    details: str
    date: PrintedFact
    signatory: Label
    verification: str


@dataclass(frozen=True, slots=True)
class MeritListContent:
    """A merit list. `widths` are shares of the page; the column `flowing` may take several lines."""

    language: Literal["en", "hi"]
    institute: str
    title: str
    subtitle: Label
    facts: Sequence[str]
    columns: Sequence[Column]
    widths: Sequence[float]
    flowing: int
    rows: Sequence[Sequence[str]]
    notes: Sequence[str]
    end: Label
    footer: str


@dataclass(frozen=True, slots=True)
class ResponsePart:
    """What was answered in one paper."""

    heading: str
    facts: Sequence[PrintedFact]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True)
class ResponseContent:
    """The response sheets of a candidate."""

    language: Literal["en", "hi"]
    institute: str
    title: str
    subtitle: Label
    facts: Sequence[PrintedFact]
    columns: Sequence[Column]
    parts: Sequence[ResponsePart]
    notes: Sequence[str]
    footer: str
    verification: Verification | None = None
    attached: str | None = None
    """The name of a file that is attached to the PDF."""
