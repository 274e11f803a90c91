"""Asking for an export, its status, and its download."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.core.errors import Conflict, NotFound, SessionRevoked
from app.core.file_lifetimes import expiry_after_download, expiry_while_waiting
from app.core.ids import uuid7
from app.models import AccountExport, ExportStatus
from app.services.account_exports.files import key_of
from app.services.components import Components
from app.services.unit_of_work import Reading, UnitOfWork, unit_of_work
from app.services.users import Principal


@dataclass(frozen=True, slots=True)
class ReadyFile:
    """The file of an export."""

    pieces: AsyncIterator[bytes]
    size_bytes: int


async def request(uow: UnitOfWork, user: Principal, now: datetime) -> AccountExport:
    """Ask for an export. While one is being made or waits for its download, that one is returned."""
    if not await uow.users.lock(user.id):
        raise SessionRevoked
    if (current := await uow.exports.current(user.id, now)) is not None:
        return current
    export = AccountExport(
        id=uuid7(now),
        user_id=user.id,
        status=ExportStatus.WAITING,
        created_at=now,
        expires_at=expiry_while_waiting(now),
    )
    await uow.exports.add(export)
    uow.jobs.add("export_account", export_id=str(export.id))
    return export


async def find(reads: Reading, user: Principal, export_id: UUID, now: datetime) -> AccountExport:
    """One's own export. Raises NotFound once it has expired."""
    export = await reads.exports.find(user.id, export_id, now)
    if export is None:
        raise NotFound("export")
    return export


async def open_file(parts: Components, user: Principal, export_id: UUID, now: datetime) -> ReadyFile:
    """The file of one's own export. The first call begins the time in which it may be downloaded.

    Raises Conflict while it is being made. If the storage does not answer, the time has not begun.
    """
    async with unit_of_work(parts.engine) as uow:
        export = await find(uow, user, export_id, now)
        if export.status != ExportStatus.READY or export.size_bytes is None:
            raise Conflict("The export is not ready yet. Ask for its status until it is.")
        pieces = await parts.media.read(key_of(export_id))
        await uow.exports.begin_download(export_id, now, expiry_after_download(export.expires_at, now))
        return ReadyFile(pieces, export.size_bytes)
