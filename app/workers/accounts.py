"""The loops of a worker that purge deleted accounts and delete expired files."""

from datetime import timedelta

from app.services import account_deletion, account_exports, result_documents
from app.services.components import Components

MOST_TIME = timedelta(seconds=10)
"""After this time no further batch is started, because a round that takes too long is cancelled."""


class AccountLoop:
    """Purges deleted accounts after their legal hold, and deletes expired exports and result files."""

    def __init__(self, parts: Components) -> None:
        self._parts = parts

    async def purge(self) -> None:
        """Take the next step for the accounts that are due, batch after batch while batches are full."""
        stop_at = self._parts.clock.now() + MOST_TIME
        while await account_deletion.purge_due(self._parts) == account_deletion.BATCH:
            if self._parts.clock.now() >= stop_at:
                return

    async def delete_exports(self) -> None:
        """Delete the expired exports, batch after batch while batches are full."""
        stop_at = self._parts.clock.now() + MOST_TIME
        while await account_exports.delete_expired(self._parts) == account_exports.BATCH:
            if self._parts.clock.now() >= stop_at:
                return

    async def delete_result_files(self) -> None:
        """Delete the expired files of results, batch after batch while batches are full."""
        stop_at = self._parts.clock.now() + MOST_TIME
        while await result_documents.delete_expired(self._parts) == result_documents.BATCH:
            if self._parts.clock.now() >= stop_at:
                return
