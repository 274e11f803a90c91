"""The job that makes an export: everything that is kept of a person, in one ZIP file."""

from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID

from app.core.errors import NotFound
from app.core.file_lifetimes import expiry_when_ready
from app.engine.question_types import shown_key
from app.repositories.privacy.exports import DATASETS
from app.services import avatars
from app.services.account_exports.archive import ExportArchive
from app.services.account_exports.contents import ABOUT, Contents
from app.services.account_exports.files import key_of
from app.services.components import Components
from app.services.unit_of_work import Reading, UnitOfWork, reading
from app.services.users import Principal, find_principal

README = """\
This file has what the test series keeps of you, as of {now}.

Each set is there twice: as JSON, for programs, and as CSV, for a spreadsheet. Times are in UTC.

{sets}
{avatar}
What is not in here
- Results that are not out. While an exam is not released, its marks are shown to nobody.
- Questions, keys and explanations. They belong to the institute. Your answers name questions by their id.
- Your password. Nobody can read it: it is kept as a hash by the sign-in service.
- Log files of the servers, which name you by your id and are deleted by the operator after a while.

This file can be downloaded once. To get a new one, ask for another export in the app.
"""


async def build(uow: UnitOfWork, parts: Components, export_id: UUID, now: datetime) -> None:
    """Make the file of an export and store it. Doing it again replaces the file.

    Nothing is made for a person who is deleted or banned meanwhile; a loop of the worker deletes the export.
    """
    export = await uow.exports.waiting(export_id)
    user = await find_principal(uow, export.user_id, "", now) if export is not None else None
    if user is None:
        await parts.media.delete(key_of(export_id))
        return
    with TemporaryDirectory(prefix="ias-export-") as folder:
        path = Path(folder) / "export.zip"
        async with reading(parts.engine) as reads:
            await write_archive(reads, parts, user, path, now)
        await parts.media.put_file(key_of(export_id), path)
        size = path.stat().st_size
    if not await uow.exports.mark_ready(export_id, size, now, expiry_when_ready(now)):
        await parts.media.delete(key_of(export_id))


async def write_archive(
    reads: Reading, parts: Components, user: Principal, path: Path, now: datetime
) -> None:
    """Write everything that is kept of a person, and that they may see, into a ZIP file."""
    contents = Contents(reads, parts, user, now)
    sets = [
        ("attempts", ABOUT["attempts"], contents.attempts()),
        ("answers", ABOUT["answers"], contents.answers()),
        ("official_results", ABOUT["official_results"], contents.official_results()),
        *((each.name, each.about, _shown(reads.exports.rows(each, user.id))) for each in DATASETS),
    ]
    with ExportArchive(path) as archive:
        lines = [
            f"- {name} ({await archive.add_rows(name, rows)} rows): {about}" for name, about, rows in sets
        ]
        avatar = ""
        with suppress(NotFound):
            found = await avatars.find(reads, user, user.id)
            await archive.add_file("avatar.jpg", await avatars.read(parts, found))
            avatar = "- avatar.jpg: Your picture.\n"
        text = README.format(now=f"{now:%d %B %Y, %H:%M} UTC", sets="\n".join(lines), avatar=avatar)
        archive.add_text("README.txt", text)


async def _shown(rows: AsyncIterator[Mapping[str, Any]]) -> AsyncIterator[Mapping[str, Any]]:
    """The rows, with claimed keys in the form of the API."""
    async for row in rows:
        claimed = row.get("claimed_key")
        yield {**row, "claimed_key": shown_key(claimed)} if claimed is not None else row
