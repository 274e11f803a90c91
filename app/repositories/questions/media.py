"""Images of the question bank, and who may see them."""

from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from app.models import Attempt, AttemptStatus, Media, PaperMedia, User
from app.repositories.base import Repository


class MediaRepository(Repository):
    """Images of one institute. They are never changed or deleted."""

    async def get(self, institute_id: UUID, media_id: UUID) -> Media | None:
        """One image, for staff."""
        statement = select(Media).where(Media.institute_id == institute_id, Media.id == media_id)
        return (await self._session.scalars(statement)).one_or_none()

    async def shown_to(self, user_id: UUID, media_id: UUID, attempt_id: UUID | None = None) -> Media | None:
        """An image of a paper that the user has attempted. With `attempt_id`, of that attempt's paper."""
        sat = (
            select(Attempt.id)
            .join(PaperMedia, PaperMedia.paper_id == Attempt.paper_id)
            .join(User, User.id == Attempt.user_id)
            .where(
                Attempt.user_id == user_id,
                Attempt.status != AttemptStatus.VOID,
                PaperMedia.media_id == Media.id,
                User.active,
            )
        )
        if attempt_id is not None:
            sat = sat.where(Attempt.id == attempt_id)
        statement = select(Media).where(Media.id == media_id, sat.exists())
        return (await self._session.scalars(statement)).one_or_none()

    async def existing(self, institute_id: UUID, media_ids: Collection[UUID]) -> Mapping[UUID, Media]:
        """Those of these images that belong to the institute, by id."""
        if not media_ids:
            return {}
        statement = select(Media).where(Media.institute_id == institute_id, Media.id.in_(media_ids))
        return {media.id: media for media in await self._session.scalars(statement)}

    async def known(self, institute_id: UUID, digests: Collection[str]) -> Media | None:
        """An image with one of these hashes, or None."""
        statement = select(Media).where(Media.institute_id == institute_id, Media.sha256.in_(digests))
        return (await self._session.scalars(statement.order_by(Media.id).limit(1))).one_or_none()

    async def add(self, **values: Any) -> bool:
        """Insert an image. Returns False if it exists already."""
        statement = insert(Media).values(values).on_conflict_do_nothing().returning(Media.id)
        return await self._session.scalar(statement) is not None
