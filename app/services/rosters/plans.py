"""What an import of a roster has to write: its rows against the accounts and places that exist."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from app.models import Exam, Registration, Role
from app.repositories.users import Member
from app.services.enrolments import MAX_BATCHES
from app.services.rosters.reading import RosterFile, RosterRow
from app.services.unit_of_work import Reading
from app.sheets.reports import RowError, RowWarning


@dataclass(frozen=True, slots=True)
class Update:
    """What changes for a candidate with an account."""

    row: RosterRow
    member: Member
    profile: Mapping[str, Any]
    claims: Registration | None = None
    """A registration without an account that becomes the candidate's."""
    registers: bool = False


@dataclass(slots=True)
class RosterPlan:
    """What is to be done, or why nothing is."""

    new: list[RosterRow] = field(default_factory=list)
    known: list[Update] = field(default_factory=list)
    claims: dict[str, Registration] = field(default_factory=dict)
    """For new candidates: registrations without an account, by roll number."""
    errors: list[RowError] = field(default_factory=list)
    warnings: list[RowWarning] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class KnownMembers:
    """What exists already."""

    members: Mapping[str, Sequence[Member]]
    """By the address in the file."""
    by_roll_number: Mapping[str, Registration]
    by_user: Mapping[UUID, Registration]
    withdrawn: set[str]


async def find_known(
    reads: Reading, rows: Sequence[RosterRow], exam: Exam | None, accounts: Mapping[str, UUID]
) -> KnownMembers:
    """The accounts and places of the rows. `accounts` are those of the auth server, by address."""
    found = await reads.rosters.members([row.email for row in rows], list(accounts.values()))
    address_of = {user_id: email for email, user_id in accounts.items()}
    members: dict[str, list[Member]] = {}
    for member in found:
        members.setdefault(address_of.get(member.user.id, member.user.email), []).append(member)
    if exam is None:
        return KnownMembers(members, {}, {}, set())
    roll_numbers = [row.roll_number for row in rows if row.roll_number is not None]
    people = [member.user.id for member in found]
    places = await reads.answer_sheets.registrations(exam.id, roll_numbers, people)
    return KnownMembers(
        members,
        {place.roll_number: place for place in places},
        {place.user_id: place for place in places if place.user_id is not None},
        await reads.registrations.withdrawn(exam.id, roll_numbers),
    )


def plan_for(read: RosterFile, known: KnownMembers, *, with_exam: bool) -> RosterPlan:
    """Compare the rows with what exists."""
    plan = RosterPlan(warnings=list(read.warnings))
    if not with_exam and any(row.roll_number is not None for row in read.rows):
        sentence = "roll numbers belong to an exam and are left out; name the exam to register the candidates"
        plan.warnings.append(RowWarning(read.header_row, "roll_number", sentence))
    for row in read.rows:
        _Planner(plan, known, row, with_exam).plan()
    return plan


@dataclass(frozen=True, slots=True)
class _Planner:
    """Decides about one row."""

    plan_: RosterPlan
    known: KnownMembers
    row: RosterRow
    with_exam: bool

    def plan(self) -> None:
        members = self.known.members.get(self.row.email, ())
        if len(members) > 1:
            self._wrong("email", "several accounts have this address; leave the row out")
        elif not members:
            self._new()
        elif members[0].role != Role.STUDENT:
            self._wrong("email", "this is an account of staff, which a roster does not change; leave it out")
        elif members[0].user.deleted_at is not None:
            self._wrong("email", "this account was deleted by its owner; leave the row out")
        elif not members[0].user.active:
            self._wrong("email", "this account is banned; lift the ban or leave the row out")
        else:
            self._known(members[0])

    def _new(self) -> None:
        if self.row.name is None:
            self._wrong("name", "the name is missing; a new account needs one")
        if (place := self._place(None)) is not None and self.row.roll_number is not None:
            self.plan_.claims[self.row.roll_number] = place
        self.plan_.new.append(self.row)

    def _known(self, member: Member) -> None:
        if self.row.batch and len({*member.enrolment.batches, self.row.batch}) > MAX_BATCHES:
            self._wrong(
                "batch", f"this candidate would be in more than {MAX_BATCHES} batches; remove some first"
            )
        profile = {}
        for what in ("name", "category", "pwbd"):
            said, stored = getattr(self.row, what), getattr(member.user, what)
            if said is not None and said != stored:
                profile[what] = said
                sentence = f'replaces "{stored if stored is not None else "none"}"'
                self.plan_.warnings.append(RowWarning(self.row.row, what, sentence))
        registered = self.known.by_user.get(member.user.id)
        claims = None
        if registered is None:
            claims = self._place(member.user.id)
        elif self.row.roll_number not in (None, registered.roll_number):
            number = registered.roll_number
            self._wrong("roll_number", f"this candidate is registered as {number}; use that or nothing")
        registers = self.with_exam and registered is None and claims is None
        self.plan_.known.append(Update(self.row, member, profile, claims, registers))

    def _place(self, user_id: UUID | None) -> Registration | None:
        """The registration with the row's roll number, if it waits for an account."""
        number = self.row.roll_number
        if not self.with_exam or number is None:
            return None
        place = self.known.by_roll_number.get(number)
        if place is not None and place.user_id not in (None, user_id):
            self._wrong("roll_number", "this roll number belongs to another account; correct one of them")
        elif place is None and number in self.known.withdrawn:
            self._wrong("roll_number", "a candidate who has withdrawn had this roll number; use another one")
        return place

    def _wrong(self, field_name: str, message: str) -> None:
        self.plan_.errors.append(RowError(self.row.row, field_name, message))
