"""Consents: which other authors may place a test in their exams."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

from app.models import TestConsent
from app.repositories.base import Repository


class ConsentRepository(Repository):
    """Consents of a test's author."""

    async def of_test(self, test_id: UUID) -> Sequence[TestConsent]:
        """Consents of a test, oldest first."""
        statement = select(TestConsent).where(TestConsent.test_id == test_id)
        ordered = statement.order_by(TestConsent.created_at, TestConsent.user_id)
        return (await self._session.scalars(ordered)).all()

    async def give(self, test_id: UUID, user_id: UUID, granted_by: UUID | None) -> bool:
        """Let a user place the test. Returns False if the user may already."""
        values = {"test_id": test_id, "user_id": user_id, "granted_by": granted_by}
        statement = insert(TestConsent).values(values).on_conflict_do_nothing()
        return await self._session.scalar(statement.returning(TestConsent.user_id)) is not None

    async def withdraw(self, test_id: UUID, user_id: UUID) -> bool:
        """Withdraw a consent. Returns False if there is none."""
        statement = delete(TestConsent).where(TestConsent.test_id == test_id, TestConsent.user_id == user_id)
        return await self._session.scalar(statement.returning(TestConsent.user_id)) is not None
