"""Booklet series: in which order a series has the questions of the paper."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from app.sentences import Sentence
from app.services.exams.answer_sheets.columns import AnswerSheetLayout
from app.services.exams.answer_sheets.headers import SERIES
from app.services.exams.answer_sheets.options import Order
from app.sheets.records import Record
from app.sheets.reports import RowError

_MAX_SERIES = 10
_WORDS = re.compile(r"^(?:booklet|test|question|paper|series|set|code)\b[\s:_-]*", re.IGNORECASE)
_MEND = (
    "The questions of each series stand in another order. Give the order of the series (`order`), or with"
    " a new exam a key for each series (--key A=FILE). If all have the paper's order, map the column to"
    " `ignore`"
)


def series_name(text: str) -> str:
    """`Set A`, `series: a` and `A` → `A`."""
    name = " ".join(text.split())
    while (shorter := _WORDS.sub("", name)) not in ("", name):
        name = shorter
    return name.upper()


@dataclass(slots=True)
class SeriesColumn:
    """The booklet series that the rows of a file name."""

    layout: AnswerSheetLayout
    orders: Mapping[str, Order]
    seen: dict[str, int] = field(default_factory=dict)
    """The series that were read, and the row of the first sheet of each."""
    left_out: dict[int, set[str]] = field(default_factory=dict)
    """The values of columns from which nothing is read: one may be the series under an unknown name."""

    def order_of(self, row: int, name: str) -> Order | None:
        """Return the order of a series; None if it is the paper's. Raises ValueError for an unknown one."""
        self.seen.setdefault(name, row)
        if not self.orders:
            return None
        if name not in self.orders:
            known = ", ".join(self.orders)
            template = 'There is no order of the booklet series "{name}". The series are {known}.'
            raise ValueError(Sentence(template, name=name[:20], known=known))
        return self.orders[name]

    def note_left_out(self, record: Record) -> None:
        """Remember what an unknown column has, as long as it looks like a series."""
        for position in self.layout.left_out:
            values = self.left_out.setdefault(position, set())
            if len(values) <= _MAX_SERIES:
                values.add(record.cell(position).strip().upper())

    def errors(self) -> list[RowError]:
        """Return an error if sheets have several series whose order is unknown."""
        if SERIES in self.layout.positions and not self.orders:
            name = self.layout.name_at(self.layout.positions[SERIES])
            return self._several(name, [series for series in self.seen if series], all_of=len(self.seen))
        return [
            error
            for position, values in self.left_out.items()
            if all(re.fullmatch(r"(?:SET |SERIES )?[A-H]", value) for value in values)
            for error in self._several(self.layout.name_at(position), sorted(values), all_of=len(values))
        ]

    def _several(self, column: str, found: list[str], all_of: int) -> list[RowError]:
        if all_of < 2:
            return []
        named = ", ".join(sorted(found)[:_MAX_SERIES])
        blank = " and sheets without one" if len(found) < all_of else ""
        return [
            RowError(self.layout.row, column, f"the sheets have the booklet series {named}{blank}. {_MEND}")
        ]
