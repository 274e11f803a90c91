"""What an import tells its author."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from app.services.questions.rows import RowError

MOST_ERRORS = 1_000


@dataclass(frozen=True, slots=True)
class RowWarning:
    """Something to look at in one row; `question_id` is the question of the bank that is meant, if any."""

    row: int
    field: str
    message: str
    question_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import did, or with `dry_run` would do. Where there are errors it did nothing."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    errors: Sequence[RowError] = ()
    warnings: Sequence[RowWarning] = ()
    """Files that no row names, and rows very similar to other questions: imported all the same."""
    question_ids: Sequence[UUID] = ()
    """In the order of the sheet; empty after a dry run."""

    def of_dry_run(self) -> "ImportReport":
        """The same without what is not there after all."""
        return replace(self, question_ids=())


def refused(errors: Sequence[RowError]) -> ImportReport:
    """Nothing was done."""
    return ImportReport(errors=first_errors(errors))


def first_errors(errors: Sequence[RowError]) -> list[RowError]:
    """Of very many errors the first ones will do."""
    shown = sorted(errors, key=lambda error: error.row)[:MOST_ERRORS]
    if len(errors) > len(shown):
        more = len(errors) - len(shown)
        shown.append(RowError(shown[-1].row, "file", f"there are {more:,} more errors after these"))
    return shown
