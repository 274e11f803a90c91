"""The loops of a worker that purge deleted accounts and delete expired files."""

from app.core.repeating import repeat_full_batches
from app.services import account_deletion, account_exports, result_documents
from app.services.components import Components


class ExpiryLoop:
    """Purges deleted accounts after their legal hold, and deletes expired exports and result files."""

    def __init__(self, parts: Components) -> None:
        self._parts = parts

    async def purge(self) -> None:
        """Take the next step for the accounts that are due."""
        await repeat_full_batches(
            self._parts.clock, lambda: account_deletion.purge_due(self._parts), account_deletion.BATCH
        )

    async def delete_exports(self) -> None:
        """Delete the expired exports."""
        await repeat_full_batches(
            self._parts.clock, lambda: account_exports.delete_expired(self._parts), account_exports.BATCH
        )

    async def delete_result_files(self) -> None:
        """Delete the expired files of results."""
        await repeat_full_batches(
            self._parts.clock, lambda: result_documents.delete_expired(self._parts), result_documents.BATCH
        )
