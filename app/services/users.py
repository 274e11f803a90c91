"""Users: the principal of a request, profiles and roles."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from app.core.changes import UNCHANGED, Unchanged, changed_fields
from app.core.errors import NotFound
from app.core.names import email_address, person_name
from app.models import DEFAULT_INSTITUTE_ID, Role, User
from app.repositories.users import Member
from app.services.unit_of_work import Reading, UnitOfWork

OPERATOR_ID = UUID(int=0)


@dataclass(frozen=True, slots=True)
class ProfileUpdate:
    """What users may change in their profile."""

    name: str | Unchanged = UNCHANGED
    category: str | Unchanged = UNCHANGED
    pwbd: int | Unchanged | None = UNCHANGED
    target_year: int | Unchanged | None = UNCHANGED
    language: str | Unchanged = UNCHANGED
    timezone: str | Unchanged = UNCHANGED
    avatar_url: str | Unchanged | None = UNCHANGED
    preferences: dict[str, Any] | Unchanged = UNCHANGED


@dataclass(frozen=True, slots=True)
class Principal:
    """The user of a request."""

    id: UUID
    session_id: str
    email: str
    name: str
    institute_id: UUID
    role: Role
    enrolled: bool

    @property
    def author_id(self) -> UUID | None:
        """The user id to store as author. None for an operator at the command line."""
        return None if self.id == OPERATOR_ID else self.id

    @property
    def is_staff(self) -> bool:
        """Whether the user is staff. Attempts of staff are previews, which no statistic counts."""
        return self.role is not Role.STUDENT

    def is_any(self, *roles: Role) -> bool:
        """Whether the user has one of these roles. An admin has all of them."""
        return self.role is Role.ADMIN or self.role in roles


def operator() -> Principal:
    """The principal at the command line: an admin of the default institute without an account."""
    return Principal(
        id=OPERATOR_ID,
        session_id="",
        email="",
        name="Operator",
        institute_id=DEFAULT_INSTITUTE_ID,
        role=Role.ADMIN,
        enrolled=False,
    )


async def find_principal(reads: Reading, user_id: UUID, session_id: str) -> Principal | None:
    """The user with this id. None without a profile, or if the user is banned."""
    member = await reads.users.member(user_id)
    return principal_of(member, session_id) if member is not None and member.user.active else None


async def ensure_profile(uow: UnitOfWork, user_id: UUID, email: str, name: str) -> Member:
    """The profile of an account. It is created at the first authenticated request, with a mail of welcome.

    Name and address may come from a token. Anybody can register any name at the auth server, so both are
    cleaned.
    """
    member = await uow.users.member(user_id)
    if member is None:
        if await uow.users.add(user_id, stored_address(email), person_name(name, email)):
            uow.jobs.add("send_welcome_mail", user_id=str(user_id))
        member = await uow.users.member(user_id)
    assert member is not None  # noqa: S101 -- it was created above
    return member


def stored_address(email: str) -> str:
    """The address of a token, or an empty string if it has no valid one."""
    try:
        return email_address(email)
    except ValueError:
        return ""


async def profile(reads: Reading, user: Principal) -> User:
    """The user's own profile."""
    member = await reads.users.member(user.id)
    if member is None:
        raise NotFound("profile")
    return member.user


async def change_profile(uow: UnitOfWork, user: Principal, update: ProfileUpdate) -> User:
    """Change the user's own profile."""
    if names := changed_fields(update):
        await uow.users.change(user.id, {name: getattr(update, name) for name in names})
    return await profile(uow, user)


def principal_of(member: Member, session_id: str) -> Principal:
    """The principal of a member."""
    return Principal(
        id=member.user.id,
        session_id=session_id,
        email=member.user.email,
        name=member.user.name,
        institute_id=member.institute_id,
        role=Role(member.role),
        enrolled=member.enrolled,
    )
