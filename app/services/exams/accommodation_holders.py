"""Who holds a grant of extra time: a group, or a person named by account, email address or roll number."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from app.core.errors import FieldError, Invalid
from app.models import Exam
from app.sentences import Sentence
from app.services.exams.answer_sheets.roll_numbers import RegisteredNumbers, Resemblance
from app.services.unit_of_work import UnitOfWork

Places = Mapping[str, UUID | None]
"""The account of each roll number; None if it waits for one."""


@dataclass(frozen=True, slots=True)
class Target:
    """A person or a group as staff name it. Exactly one of the fields is set."""

    user_id: UUID | None = None
    roll_number: str | None = None
    email: str | None = None
    group: str | None = None


@dataclass(frozen=True, slots=True)
class GrantHolder:
    """The account or the group (`pwbd` or `all`) that a grant belongs to."""

    user_id: UUID | None
    group: str | None

    @property
    def column(self) -> tuple[str, UUID | str]:
        """The column of the table that identifies the holder, and its value."""
        return ("user_id", self.user_id) if self.user_id else ("candidate_group", self.group or "all")


async def find_holders(uow: UnitOfWork, exam: Exam, targets: Sequence[Target]) -> Sequence[GrantHolder]:
    """The holder of each target. Raises Invalid with each one that is unknown or named twice.

    An unknown roll number comes with the registered ones that it resembles.
    """
    accounts = await _accounts(uow, exam, [each.email for each in targets if each.email])
    roll_numbers = [each.roll_number for each in targets if each.roll_number]
    places = await _places(uow, exam, roll_numbers)
    hints = await _hints(uow, exam, set(roll_numbers) - places.keys())
    holders: list[GrantHolder] = []
    errors = []
    for number, target in enumerate(targets):
        try:
            holder = await _holder(uow, target, accounts, places, hints)
        except _Unknown as unknown:
            errors.append(FieldError(f"items.{number}.{unknown.field}", unknown.sentence))
            continue
        if holder in holders:
            errors.append(
                FieldError(f"items.{number}", "This item names the same person or group as an earlier one.")
            )
        holders.append(holder)
    if errors:
        raise Invalid("Some persons or groups cannot be used.", errors=errors)
    return holders


class _Unknown(Exception):
    """A target that is not one account."""

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field, self.sentence = field, sentence


async def _holder(
    uow: UnitOfWork,
    target: Target,
    accounts: Mapping[str, Sequence[UUID]],
    places: Places,
    hints: Mapping[str, str],
) -> GrantHolder:
    if target.group is not None:
        return GrantHolder(None, target.group)
    if target.email is not None:
        return GrantHolder(_only(accounts.get(target.email, ())), None)
    if target.roll_number is not None:
        return GrantHolder(_registered(places, hints, target.roll_number), None)
    if target.user_id is None or await uow.users.member(target.user_id) is None:
        raise _Unknown("user_id", Sentence("There is no such account."))
    return GrantHolder(target.user_id, None)


def _only(user_ids: Sequence[UUID]) -> UUID:
    if not user_ids:
        raise _Unknown("email", Sentence("No account has this address."))
    if len(user_ids) > 1:
        raise _Unknown("email", Sentence("Several accounts have this address. Send user_id or roll_number."))
    return user_ids[0]


def _registered(places: Places, hints: Mapping[str, str], roll_number: str) -> UUID:
    if roll_number not in places:
        raise _Unknown("roll_number", hints[roll_number])
    user_id = places[roll_number]
    if user_id is None:
        raise _Unknown("roll_number", Sentence("The roll number has no account yet. Claim it first."))
    return user_id


async def _accounts(uow: UnitOfWork, exam: Exam, emails: Sequence[str]) -> Mapping[str, Sequence[UUID]]:
    found: dict[str, list[UUID]] = {}
    for account in await uow.answer_sheets.accounts(exam.institute_id, emails) if emails else ():
        found.setdefault(account.email, []).append(account.user_id)
    return found


async def _places(uow: UnitOfWork, exam: Exam, roll_numbers: Sequence[str]) -> Places:
    """The places of those of these roll numbers that are registered."""
    if not roll_numbers:
        return {}
    found = await uow.answer_sheets.registrations(exam.id, roll_numbers, [])
    return {place.roll_number: place.user_id for place in found}


async def _hints(uow: UnitOfWork, exam: Exam, unknown: Collection[str]) -> Mapping[str, str]:
    """What is wrong with each unknown roll number."""
    if not unknown:
        return {}
    registered = await uow.answer_sheets.roll_numbers(exam.id)
    # In a thread: an exam may have a hundred thousand roll numbers.
    return await asyncio.to_thread(_compare, unknown, registered)


def _compare(unknown: Collection[str], registered: Collection[str]) -> Mapping[str, str]:
    numbers = RegisteredNumbers(registered, unknown)
    return {number: _hint(numbers.resembling(number)) for number in unknown}


def _hint(found: Resemblance) -> str:
    if not found.numbers:
        return Sentence("Nobody is registered for this exam under this roll number or a similar one.")
    if found.reads_alike:
        template = "Nobody is registered for this exam under this roll number. It reads like: {numbers}."
    else:
        template = "Nobody is registered for this exam under this roll number. The nearest: {numbers}."
    return Sentence(template, numbers=", ".join(found.numbers))
