"""What whoever imports answer sheets says about the file."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from app.core.errors import FieldError, Invalid
from app.sentences import Sentence
from app.services.column_mappings import SavedColumns, fingerprint
from app.services.exams.answer_sheets.headers import ROLL_NUMBER

ScannerProgram = Literal["auto", "omrchecker", "formscanner", "remark"]
NumbersFrom = Literal["0", "1"]
Order = tuple[int, ...]
"""For each question of the paper, from 0, its place in a booklet series, from 0."""

_WORDS_OF: Mapping[ScannerProgram, tuple[str, str]] = {"remark": ("BLANK", "MULT")}
"""What a program writes where nothing is marked, and where more is marked than is allowed."""


@dataclass(frozen=True, slots=True)
class FileOptions:
    """How to read a file of answer sheets. Words are compared without regard to case."""

    roll_number: str | None = None
    """The column of roll numbers, or the columns of their digits, such as `id1-id6`."""
    columns: str | None = None
    blank: frozenset[str] = frozenset()
    multiple: frozenset[str] = frozenset()
    numbers_from: NumbersFrom | None = None
    """Whether the first option is 0 or 1 where a sheet has numbers for options."""
    mapping: Mapping[str, str] = field(default_factory=dict)
    """Columns by name, and what each is."""
    is_mapped: bool = False
    """Whether the caller has sent a mapping, which may be empty."""
    saved: SavedColumns = field(default_factory=dict)
    """The mappings of earlier imports."""
    orders: Mapping[str, Order] = field(default_factory=dict)
    """By booklet series."""

    def of_header(self, cells: Sequence[str]) -> "FileOptions":
        """The options for a file with this header: with the mapping that is saved for it.

        A column of roll numbers that the caller names is stronger than a saved one.
        """
        saved = self.saved.get(fingerprint(cells)) if self.saved else None
        if saved is None:
            return self
        mapping = {
            name: what for name, what in saved.items() if what != ROLL_NUMBER or self.roll_number is None
        }
        return replace(self, mapping=mapping)


AS_IT_IS = FileOptions()


def file_options(
    *,
    roll_number: str = "",
    columns: str = "",
    program: ScannerProgram = "auto",
    blank: str = "",
    multiple: str = "",
    numbers_from: NumbersFrom | None = None,
    mapping: Mapping[str, str] | None = None,
) -> FileOptions:
    """The options of a request or a command. Raises Invalid if one word has two meanings."""
    no_answer, several = _WORDS_OF.get(program, ("", ""))
    blanks = _words(blank) | _words(no_answer)
    multiples = _words(multiple) | _words(several)
    if both := sorted(blanks & multiples):
        template = '"{word}" cannot mean both a blank answer and several marks.'
        raise Invalid.field("multiple", Sentence(template, word=both[0]))
    return FileOptions(
        roll_number=roll_number or None,
        columns=columns or None,
        blank=blanks,
        multiple=multiples,
        numbers_from=numbers_from,
        mapping=mapping or {},
        is_mapped=mapping is not None,
    )


def mapping_from(pairs: list[str]) -> dict[str, str]:
    """`Ans=q1` → {"Ans": "q1"}. Raises Invalid for text without an equals sign."""
    mapping: dict[str, str] = {}
    for pair in pairs:
        column, equals, what = (part.strip() for part in pair.rpartition("="))
        if not (equals and column and what):
            sentence = Sentence('Write a column and what it is, such as "Candidate ID=roll_number".')
            raise Invalid("The mapping cannot be used.", errors=[FieldError("mapping", sentence)])
        mapping[column] = what
    return mapping


def _words(text: str) -> frozenset[str]:
    return frozenset(word.strip().casefold() for word in text.split(",") if word.strip())
