"""The questions of the bank follow a key revision: each gets a version with the corrected key."""

from collections.abc import Mapping
from dataclasses import replace
from enum import StrEnum
from typing import Any
from uuid import UUID

from app.models import KeyRevision
from app.services import audit, embargo
from app.services.audit import AuditSubject
from app.services.questions.bank import version_values
from app.services.questions.content import Content, content_of, problems_of
from app.services.unit_of_work import UnitOfWork
from app.services.users import Principal


class BankOutcome(StrEnum):
    """What a revision did to a question of the bank.

    CHANGED: it has a version with the key; a dropped question is retired too. SAME: it had the key already.
    KEPT: its key or options were changed since the paper was frozen, and stay. NOT_ALLOWED: another exam that
    is not released has the question.
    """

    CHANGED = "changed"
    SAME = "same"
    KEPT = "kept"
    NOT_ALLOWED = "not_allowed"


async def follow(uow: UnitOfWork, staff: Principal, revision: KeyRevision) -> list[dict[str, Any]]:
    """Give the questions their new keys. Questions are locked in the order of their ids."""
    changes = sorted(revision.changes, key=lambda change: UUID(change["question_id"]))
    withheld = await embargo.withheld(uow, staff, [UUID(change["question_id"]) for change in changes])
    followed = []
    for change in changes:
        question_id = UUID(change["question_id"])
        if question_id in withheld:
            outcome, version = BankOutcome.NOT_ALLOWED, None
        else:
            outcome, version = await _follow(uow, staff, revision, question_id, change)
        followed.append({"question_id": str(question_id), "outcome": outcome, "version": version})
    return followed


async def _follow(
    uow: UnitOfWork, staff: Principal, revision: KeyRevision, question_id: UUID, change: Mapping[str, Any]
) -> tuple[BankOutcome, int | None]:
    question = await uow.questions.get(staff.institute_id, question_id, lock=True)
    if question is None:
        return BankOutcome.KEPT, None
    before = content_of(question.version)
    if before.key == change["key"]:
        return BankOutcome.SAME, question.current_version
    after = replace(before, key=dict(change["key"]))
    if before.key != change["key_before"] or problems_of(after, needs_key=True):
        return BankOutcome.KEPT, question.current_version
    number = question.current_version + 1
    await uow.questions.add_versions([_version(question_id, number, after, staff, revision)])
    status = "retired" if after.is_dropped else question.status
    await uow.questions.change([{"id": question_id, "current_version": number, "status": status}])
    audit.record(
        uow,
        staff,
        "change_key",
        AuditSubject("question", question_id),
        reason=revision.reason,
        version=number,
        test_id=str(revision.test_id),
        revision=revision.number,
    )
    return BankOutcome.CHANGED, number


def _version(
    question_id: UUID, number: int, content: Content, staff: Principal, revision: KeyRevision
) -> dict[str, Any]:
    return version_values(question_id, number, content, staff.author_id) | {"note": revision.reason}
