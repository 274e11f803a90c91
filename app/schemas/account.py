"""The deletion of an account, its export, and the avatar."""

from datetime import datetime, timedelta
from typing import Literal, Self
from uuid import UUID

from pydantic import ConfigDict, Field, SecretStr

from app.models import AccountDeletion, AccountExport, ExportStatus
from app.schemas.common import In, Out


class DeleteAccountIn(In):
    """The current password, as a proof that the owner of the account sends this."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"password": "the current password"}]})

    password: SecretStr = Field(min_length=1, max_length=1000)


class AccountDeletionOut(Out):
    """A deleted account.

    Until `purged_after` an administrator can restore it; the support needs the `id` for this.
    """

    id: UUID
    deleted_at: datetime
    purged_after: datetime

    @classmethod
    def of(cls, deletion: AccountDeletion, hold: timedelta) -> Self:
        """A deletion with its legal hold."""
        requested_at = deletion.requested_at
        return cls(id=deletion.user_id, deleted_at=requested_at, purged_after=requested_at + hold)


class AccountExportOut(Out):
    """An export. `file_url` is null until the file is ready. After `expires_at` there is no such export."""

    id: UUID
    status: Literal["waiting", "ready"]
    created_at: datetime
    expires_at: datetime
    size_bytes: int | None
    file_url: str | None

    @classmethod
    def of(cls, export: AccountExport) -> Self:
        """An export of a person."""
        is_ready = export.status == ExportStatus.READY
        return cls(
            id=export.id,
            status="ready" if is_ready else "waiting",
            created_at=export.created_at,
            expires_at=export.expires_at,
            size_bytes=export.size_bytes,
            file_url=f"/v1/users/exports/{export.id}/file" if is_ready else None,
        )
