"""Passages."""

from datetime import datetime
from typing import Literal, Self
from uuid import UUID

from pydantic import Field

from app.models import Passage, PassageVersion
from app.schemas.changes import Changes
from app.schemas.common import In, Localized, LocalizedText, Out
from app.schemas.media import MediaIds
from app.schemas.questions import ExternalId
from app.services.questions.passages import PassageDraft, PassageUpdate

PassageStatus = Literal["active", "retired"]


class PassageIn(In):
    """A new passage."""

    text: Localized
    media: MediaIds = Field(default_factory=list)
    external_id: ExternalId | None = None

    def draft(self) -> PassageDraft:
        """What the service takes."""
        return PassageDraft(self.text, self.media, self.external_id)


class PassageChanges(Changes):
    """What to change in a passage. `status: "active"` reactivates a retired passage."""

    may_be_null = frozenset({"external_id"})

    text: Localized | None = None
    media: MediaIds | None = None
    external_id: ExternalId | None = None
    status: Literal["active"] | None = None

    def changes(self) -> PassageUpdate:
        """The command for the service."""
        return PassageUpdate(**self.sent_fields())


class PassageVersionOut(Out):
    """A version of a passage."""

    number: int
    text: LocalizedText
    media: list[str]
    created_by: UUID | None
    created_at: datetime


class PassageOut(Out):
    """A passage in its current version. `media` are ids of images."""

    id: UUID
    text: LocalizedText
    media: list[str]
    external_id: str | None
    status: PassageStatus
    version: int
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, passage: Passage) -> Self:
        """The passage with its current version."""
        return cls.model_validate(
            {
                "id": passage.id,
                "text": passage.version.text,
                "media": passage.version.media,
                "external_id": passage.external_id,
                "status": passage.status,
                "version": passage.current_version,
                "created_at": passage.created_at,
                "updated_at": passage.updated_at,
            }
        )


class PassageWithVersionsOut(PassageOut):
    """A passage with all its versions, newest first."""

    versions: list[PassageVersionOut] = Field(default_factory=list)

    @classmethod
    def with_versions(cls, passage: Passage, versions: list[PassageVersion]) -> Self:
        """The passage with its versions."""
        history = [PassageVersionOut.model_validate(version) for version in versions]
        return cls.of(passage).model_copy(update={"versions": history})
