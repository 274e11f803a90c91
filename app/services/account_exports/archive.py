"""The ZIP file of an export: each set of rows as JSON and as CSV, written row by row."""

import csv
import io
import json
from collections.abc import AsyncIterator, Mapping
from datetime import datetime, time
from pathlib import Path
from tempfile import TemporaryFile
from types import TracebackType
from typing import Any, Self
from zipfile import ZIP_DEFLATED, ZipFile

from app.sheets.cells import escape_formula, normalize_line_ends

PIECE = 256 * 1024

Rows = AsyncIterator[Mapping[str, Any]]


class ExportArchive:
    """Writes a ZIP file. No more than one row and one piece of a file is in memory."""

    def __init__(self, path: Path) -> None:
        self._zip = ZipFile(path, "w", ZIP_DEFLATED)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._zip.close()

    def add_text(self, name: str, content: str) -> None:
        """Add a file of text."""
        self._zip.writestr(name, content)

    async def add_file(self, name: str, pieces: AsyncIterator[bytes]) -> None:
        """Add a file."""
        with self._zip.open(name, "w") as file:
            async for piece in pieces:
                file.write(piece)

    async def add_rows(self, name: str, rows: Rows) -> int:
        """Add rows as `name.json` and `name.csv`. Returns how many there are.

        A ZIP file is written one file at a time, so that the CSV waits in a temporary file.
        """
        count = 0
        with TemporaryFile() as table:
            text = io.TextIOWrapper(table, "utf-8-sig", newline="")
            writer = csv.writer(text)
            with self._zip.open(f"{name}.json", "w") as file:
                async for row in rows:
                    file.write(b"[\n" if count == 0 else b",\n")
                    file.write(_json(row).encode())
                    if count == 0:
                        writer.writerow(row)
                    writer.writerow(map(_cell, row.values()))
                    count += 1
                file.write(b"\n]\n" if count else b"[]\n")
            text.detach()
            table.seek(0)
            with self._zip.open(f"{name}.csv", "w") as file:
                while piece := table.read(PIECE):
                    file.write(piece)
        return count


def _cell(value: Any) -> str:
    """A value as a cell that no spreadsheet evaluates."""
    if value is None:
        return ""
    if isinstance(value, dict | list | bool):
        return _json(value)
    return escape_formula(normalize_line_ends(_text(value)))


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=_text)


def _text(value: Any) -> str:
    """A value as text: times as in the API's answers."""
    return value.isoformat() if isinstance(value, datetime | time) else str(value)
