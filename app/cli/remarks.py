"""`--remarks`: copies of imported sheets with a column of errors and warnings."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from app.cli.option_names import with_options

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
    from app.sheets.reports import remarks_by_file  # noqa: PLC0415

    if out is None:
        return
    if not report.headers or not all(report.headers):
        raise typer.BadParameter("Only a sheet can have a column of remarks.", param_hint="--remarks")
    copies = zip(files, report.headers, remarks_by_file(report), strict=True)
    for number, (file, names, found) in enumerate(copies, start=1):
        name = out if number == 1 else out.with_stem(f"{out.stem}-{number}")
        remarks = [replace(each, message=with_options(each.message)) for each in found]
        name.write_bytes(with_remarks(file, names[0], remarks, names[1:]))
        console.print(f"{name}: the sheet with remarks", markup=False, highlight=False, soft_wrap=True)
