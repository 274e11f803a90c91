"""Deletion of accounts: hidden at once, restored during the legal hold, purged after it."""

from app.services.account_deletion.deleting import delete, hide, restore
from app.services.account_deletion.purging import BATCH, purge_due
from app.services.account_deletion.rules import PURGED_AFTER

__all__ = ["BATCH", "PURGED_AFTER", "delete", "hide", "purge_due", "restore"]
