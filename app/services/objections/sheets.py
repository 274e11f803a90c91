"""All objections of a test as a sheet, for the committee of experts: arguments without names."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from tempfile import SpooledTemporaryFile
from typing import IO
from uuid import UUID

from app.engine.question_types import shown_key
from app.repositories.objections import OwnObjection
from app.services import audit
from app.services.analytics.candidates import check_may_see
from app.services.audit import AuditSubject
from app.services.components import Components
from app.services.objections.clusters import Key, current_keys
from app.services.unit_of_work import Reading
from app.services.users import Principal
from app.sheets.writers import Cell, SheetFormat, SheetWriter, open_writer

COLUMNS = (
    "question",
    "question_id",
    "key",
    "claimed_key",
    "objections",
    "decision",
    "reason",
    "explanation",
    "sources",
    "made_at",
)
_MAX_MEMORY_BYTES = 5_000_000
"""A larger sheet is written to a temporary file."""


async def objection_sheet(
    reads: Reading, parts: Components, staff: Principal, test_id: UUID, sheet_format: SheetFormat
) -> IO[bytes]:
    """A row for each objection, cluster by cluster in the order of the paper. The caller closes the file."""
    await check_may_see(reads, staff, test_id)
    written = 0
    counted = await reads.objections.all_clusters(test_id)
    counts = {each.cluster.id: each.objections for each in counted}
    asked = {each.cluster.question_id for each in counted}
    keys = await current_keys(reads, parts, staff, test_id, asked)
    with ExitStack() as on_error:
        file = on_error.enter_context(SpooledTemporaryFile(_MAX_MEMORY_BYTES))
        writer = open_writer(sheet_format, file, list(COLUMNS), "objections")
        async for rows in reads.objections.whole(test_id):
            await asyncio.to_thread(_write, writer, rows, keys, counts)
            written += len(rows)
        await asyncio.to_thread(writer.finish)
        audit.record(
            reads,
            staff,
            "export_objections",
            AuditSubject("test", test_id),
            format=sheet_format,
            rows=written,
        )
        file.seek(0)
        on_error.pop_all()  # From here on the caller closes the file.
        return file


def _write(
    writer: SheetWriter, rows: Sequence[OwnObjection], keys: Mapping[UUID, Key], counts: Mapping[UUID, int]
) -> None:
    for row in rows:
        writer.add(_cells(row, keys.get(row.cluster.question_id), counts.get(row.cluster.id, 0)))


def _cells(row: OwnObjection, key: Key | None, objections: int) -> list[Cell]:
    cluster, objection = row.cluster, row.objection
    return [
        cluster.number,
        str(cluster.question_id),
        _json(shown_key(key)) if key is not None else None,
        _json(shown_key(cluster.claimed_key)),
        objections,
        _decision(cluster.accepted),
        cluster.reason,
        objection.explanation,
        "\n".join(_source(source) for source in objection.sources),
        f"{objection.created_at:%Y-%m-%d %H:%M:%S}",
    ]


def _decision(accepted: bool | None) -> str | None:
    if accepted is None:
        return None
    return "accepted" if accepted else "rejected"


def _source(source: Mapping[str, str]) -> str:
    page = f"p. {source['page']}" if "page" in source else None
    return ", ".join(part for part in (source["title"], page, source.get("url")) if part)


def _json(key: Key) -> str:
    return json.dumps(key, ensure_ascii=False)
