"""Mappings of columns, saved for sheets with the same headers (docs/decisions/0086)."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from app.core.comparable_text import comparable
from app.models import MappedSheet
from app.repositories.base import Page, PageRequest
from app.repositories.column_mappings import SavedMapping
from app.services import audit
from app.services.audit import AuditSubject
from app.services.unit_of_work import Reading, UnitOfWork
from app.services.users import Principal
from app.sheets.header_row import REMARKS
from app.sheets.records import WHOLE_ROW, Record
from app.sheets.reports import RowWarning

SavedColumns = Mapping[str, Mapping[str, str]]
"""The columns of each mapping, by the fingerprint of its headers."""

_MAX_HEADER_LENGTH = 100
"""Characters of a header that are listed. The fingerprint is that of the whole header."""
_MAX_LISTED = 10


@dataclass(frozen=True, slots=True)
class MappedHeader:
    """The header of a sheet, and the columns that the caller's mapping names in it."""

    header: Record
    columns: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class MappingMemory:
    """The saved mappings that an import may use: none if the caller sends a mapping, also an empty one."""

    kind: MappedSheet
    saved: Mapping[str, SavedMapping]
    is_given: bool
    columns: SavedColumns = field(init=False)
    """What the process that reads the sheet needs of `saved`."""

    def __post_init__(self) -> None:
        columns = {name: each.mapping.columns for name, each in self.saved.items()}
        object.__setattr__(self, "columns", {} if self.is_given else columns)

    @classmethod
    async def load(
        cls, reads: Reading, staff: Principal, kind: MappedSheet, *, is_given: bool
    ) -> "MappingMemory":
        """The mappings of the caller's institute for this kind of sheets."""
        newest = await reads.column_mappings.newest(staff.institute_id, kind)
        return cls(kind, {each.mapping.fingerprint: each for each in newest}, is_given)

    def used(self, headers: Sequence[Record]) -> list[RowWarning]:
        """A warning for each header that was read by a saved mapping: nothing changes without a word."""
        warnings = []
        for number, header in enumerate(headers, start=1):
            if (columns := self.columns.get(fingerprint(header.cells))) is not None:
                saved = self.saved[fingerprint(header.cells)]
                message = f"this header was read by the mapping {_origin(saved)}: {_shown(columns, header)}"
                warnings.append(_warning(header, message, number))
        return warnings

    async def save(
        self, uow: UnitOfWork, staff: Principal, mapped: Sequence[MappedHeader]
    ) -> list[RowWarning]:
        """Save the caller's mapping for these headers, with a warning for each that it had not yet.

        The rows are written in the order of their fingerprints, so that two imports do not deadlock.
        """
        if not self.is_given:
            return []
        warnings = []
        found = {
            fingerprint(each.header.cells): (number, each) for number, each in enumerate(mapped, start=1)
        }
        for name, (number, each) in sorted(found.items()):
            before = self.saved.get(name)
            if not each.columns or (before is not None and _same(before.mapping.columns, each.columns)):
                continue
            headers = [header[:_MAX_HEADER_LENGTH] for header in _headers(each.header.cells)]
            await uow.column_mappings.put(
                staff.institute_id, self.kind, name, headers, each.columns, staff.author_id
            )
            message = (
                f"this mapping is saved for sheets with the same headers: {_shown(each.columns, each.header)}"
            )
            if before is not None:
                message += f"; it replaces the mapping {_origin(before)}"
            warnings.append(_warning(each.header, message, number))
            subject = AuditSubject("bank")
            audit.record(uow, staff, "save_mapping", subject, sheet=self.kind, columns=dict(each.columns))
        return warnings


def fingerprint(cells: Sequence[str]) -> str:
    """The same for all rows with the same headers, whatever their order."""
    return hashlib.sha256("\n".join(_headers(cells)).encode()).hexdigest()


def _headers(cells: Sequence[str]) -> list[str]:
    """The headers in the form in which they are compared, sorted, without the column of remarks."""
    return sorted({comparable(cell) for cell in cells if not cell.startswith(REMARKS)} - {""})


async def page(
    reads: Reading, staff: Principal, kind: MappedSheet | None, request: PageRequest
) -> Page[SavedMapping]:
    """The saved mappings of the caller's institute."""
    return await reads.column_mappings.page(staff.institute_id, kind, request)


async def delete(uow: UnitOfWork, staff: Principal, mapping_id: UUID) -> bool:
    """Delete a mapping: sheets with its headers need one again. Returns False if there is none."""
    is_deleted = await uow.column_mappings.delete(staff.institute_id, mapping_id)
    if is_deleted:
        audit.record(uow, staff, "delete_mapping", AuditSubject("bank"), mapping_id=str(mapping_id))
    return is_deleted


def _same(one: Mapping[str, str], other: Mapping[str, str]) -> bool:
    """Whether two mappings for the same headers differ in nothing but how the headers are written."""
    first, second = ({comparable(header): name for header, name in each.items()} for each in (one, other))
    return first == second


def _warning(header: Record, message: str, file: int) -> RowWarning:
    return RowWarning(header.row, "mapping", message, cell=header.cell_name(WHOLE_ROW), file=file)


def _origin(saved: SavedMapping) -> str:
    by = f" by {saved.saved_by}" if saved.saved_by else ""
    return f"of {saved.mapping.updated_at:%Y-%m-%d}{by}"


def _shown(columns: Mapping[str, str], header: Record) -> str:
    """`"Ans" → key, "Remarks" → ignore`, in the order of the sheet."""
    order = {comparable(cell): place for place, cell in enumerate(header.cells)}
    named = sorted(columns, key=lambda name: order.get(comparable(name), 0))
    pairs = [f'"{name[:50]}" → {columns[name]}' for name in named]
    more = f" and {len(pairs) - _MAX_LISTED} more" if len(pairs) > _MAX_LISTED else ""
    return ", ".join(pairs[:_MAX_LISTED]) + more
