"""Subjects and chapters."""

from typing import Annotated
from uuid import UUID

from pydantic import Field

from app.schemas.changes import Changes
from app.schemas.common import In, Localized, LocalizedName, LocalizedText, Out, Slug
from app.services.subjects import ChapterDraft, ChapterUpdate, SubjectDraft, SubjectUpdate

Position = Annotated[int, Field(ge=0, le=1_000_000, description="The order in lists, lowest first")]


class SubjectIn(In):
    """A new subject."""

    slug: Slug
    name: LocalizedName
    description: Localized | None = None
    position: Position = 0

    def draft(self) -> SubjectDraft:
        """What the service takes."""
        return SubjectDraft(self.slug, self.name, self.description, self.position)


class SubjectChanges(Changes):
    """What to change in a subject."""

    may_be_null = frozenset({"description"})

    slug: Slug | None = None
    name: LocalizedName | None = None
    description: Localized | None = None
    position: Position | None = None

    def changes(self) -> SubjectUpdate:
        """The command for the service."""
        return SubjectUpdate(**self.sent_fields())


class SubjectOut(Out):
    """A subject."""

    id: UUID
    slug: str
    name: LocalizedText
    description: LocalizedText | None
    position: int


class ChapterIn(In):
    """A new chapter. `parent_id` is another chapter of the same subject."""

    slug: Slug
    name: LocalizedName
    parent_id: UUID | None = None
    position: Position = 0

    def draft(self) -> ChapterDraft:
        """What the service takes."""
        return ChapterDraft(self.slug, self.name, self.parent_id, self.position)


class ChapterChanges(Changes):
    """What to change in a chapter. `parent_id: null` moves it to the top of the tree."""

    may_be_null = frozenset({"parent_id"})

    slug: Slug | None = None
    name: LocalizedName | None = None
    parent_id: UUID | None = None
    position: Position | None = None

    def changes(self) -> ChapterUpdate:
        """The command for the service."""
        return ChapterUpdate(**self.sent_fields())


class ChapterOut(Out):
    """A chapter. `parent_id` is null at the top of the tree."""

    id: UUID
    subject_id: UUID
    parent_id: UUID | None
    slug: str
    name: LocalizedText
    position: int
