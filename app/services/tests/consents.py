"""Consents: the author of a test lets other authors place it in their exams."""

from collections.abc import Sequence
from uuid import UUID

from app.core.errors import Forbidden, Invalid
from app.models import Role, Test, TestConsent
from app.services import audit, embargo
from app.services.audit import AuditSubject
from app.services.unit_of_work import Reading, UnitOfWork
from app.services.users import Principal


async def consents(reads: Reading, author: Principal, test_id: UUID) -> Sequence[TestConsent]:
    """Consents of a test. Raises Forbidden if the user is neither its author nor an admin."""
    await _own_test(reads, author, test_id)
    return await reads.consents.of_test(test_id)


async def consent(uow: UnitOfWork, author: Principal, test_id: UUID, user_id: UUID) -> Sequence[TestConsent]:
    """Let another author place the test in their exams. Idempotent.

    A consent does not give access to the key, only to the paper of an exam that the other author has created.
    Raises Invalid if the user is not an author.
    """
    test = await _own_test(uow, author, test_id)
    member = await uow.users.member(user_id)
    if member is None or Role(member.role) not in (Role.AUTHOR, Role.ADMIN):
        raise Invalid.field("user_id", "There is no such author.")
    if await uow.consents.give(test_id, user_id, author.author_id):
        audit.record(uow, author, "consent", AuditSubject("test", test.id), user_id=str(user_id))
    return await uow.consents.of_test(test_id)


async def withdraw_consent(uow: UnitOfWork, author: Principal, test_id: UUID, user_id: UUID) -> None:
    """Withdraw a consent. A published exam keeps the test. Idempotent."""
    test = await _own_test(uow, author, test_id)
    if await uow.consents.withdraw(test_id, user_id):
        audit.record(uow, author, "withdraw_consent", AuditSubject("test", test.id), user_id=str(user_id))


async def _own_test(reads: Reading, author: Principal, test_id: UUID) -> Test:
    test = await reads.tests.draft(author.institute_id, test_id)
    await embargo.check_visible(reads, author, test_id)
    if author.role is not Role.ADMIN and test.created_by != author.id:
        raise Forbidden("Only the author of the test and admins may do this.")
    return test
