"""The conditions of the embargo on rows."""

from datetime import UTC, datetime

from app import models
from app.repositories.embargo import Reader
from app.services.unit_of_work import UnitOfWork
from tests.builders.attempts import add_candidate
from tests.builders.content import publish_test
from tests.builders.exams import add_exam

NOW = datetime(2026, 6, 7, 4, 0, tzinfo=UTC)


class TestHidesTest:
    async def test_consent_counts_for_its_own_test(self, uow: UnitOfWork) -> None:
        """Whoever made the exam sees a test that is lent to them, but not because another one is."""
        author, borrower = await add_candidate(uow), await add_candidate(uow)
        made = await publish_test(uow, created_by=author.id)
        other = await publish_test(uow, created_by=author.id)
        await add_exam(uow, made.id, NOW, created_by=borrower.id)
        reader = Reader(borrower.id, is_staff=True, is_admin=False)
        assert await uow.embargo.hides_test(reader, made.id)
        for lent, hidden in ((other, True), (made, False)):
            uow.session.add(models.TestConsent(test_id=lent.id, user_id=borrower.id))
            await uow.session.flush()
            assert await uow.embargo.hides_test(reader, made.id) is hidden
