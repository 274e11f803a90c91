"""`--remarks`: copies of imported sheets with a column of errors and warnings."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

if TYPE_CHECKING:
    from app.sheets.reports import ImportReport

Remarks = Annotated[
    Path | None,
    typer.Option(
        "--remarks",
        dir_okay=False,
        metavar="OUT.xlsx",
        help="Also write a copy of the sheet in which a last column has the errors and warnings of each row.",
    ),
]
console = Console()


def write_remarks(out: Path | None, files: Sequence[bytes], report: "ImportReport") -> None:
    """Write the copy of the sheet; copies of further files have their number in the name."""
    from app.sheets.remarks import with_remarks  # noqa: PLC0415 -- slow to import

    if out is None:
        return
    if not report.header:
        raise typer.BadParameter("Only a sheet can have a column of remarks.", param_hint="--remarks")
    for number, file in enumerate(files, start=1):
        name = out if number == 1 else out.with_stem(f"{out.stem}-{number}")
        remarks = [remark for remark in report.remarks if remark.file == number]
        name.write_bytes(with_remarks(file, report.header, remarks, report.further_headers))
        console.print(f"{name}: the sheet with remarks", markup=False, highlight=False, soft_wrap=True)
