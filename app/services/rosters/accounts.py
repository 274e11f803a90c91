"""Accounts at the auth server for candidates who have none."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from app.core.errors import Conflict
from app.core.supabase_errors import EmailExists
from app.sentences import Sentence
from app.services.auth import auth_errors
from app.services.components import Components
from app.services.rosters.reading import RosterRow
from app.sheets.progress import ReportProgress

CONCURRENCY = 8
STAGE = "Accounts"


@dataclass(frozen=True, slots=True)
class NewAccount:
    """An account without a profile here."""

    id: UUID
    is_invited: bool
    """Whether a roster has created it. Otherwise its person has registered and has a password."""


async def create_accounts(
    parts: Components, rows: Sequence[RosterRow], progress: ReportProgress
) -> dict[str, NewAccount]:
    """The accounts of these candidates, by address, created where there are none.

    They have no password until their person sets one. The auth server marks them as invited. If the import
    stops here, the next import finds them and goes on.
    """
    slots, done = asyncio.Semaphore(CONCURRENCY), 0

    async def one(row: RosterRow) -> NewAccount:
        nonlocal done
        async with slots:
            account = await _account(parts, row)
        done += 1
        progress(STAGE, done, len(rows))
        return account

    async with auth_errors():
        tasks = [asyncio.ensure_future(one(row)) for row in rows]
        try:
            accounts = await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
    return {row.email: account for row, account in zip(rows, accounts, strict=True)}


async def _account(parts: Components, row: RosterRow) -> NewAccount:
    try:
        made = await parts.auth.admin_create(row.email, name=row.name, is_invited=True)
    except EmailExists:
        found = await parts.auth.admin_find(row.email)
        if found is None:
            raise Conflict(
                Sentence("The account of {email} has just changed. Import the file again.", email=row.email)
            ) from None
        return NewAccount(found.id, found.is_invited)
    return NewAccount(made.id, is_invited=True)
