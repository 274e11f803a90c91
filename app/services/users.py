"""Users: the principal of a request, profiles and roles."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from app.core.changes import UNCHANGED, Unchanged, changed_fields
from app.core.errors import NotFound
from app.core.names import email_address, person_name
from app.core.tokens import AccessClaims
from app.models import DEFAULT_INSTITUTE_ID, Role, User
from app.repositories.users import Member, MemberSummary
from app.services.components import Components
from app.services.unit_of_work import Reading, UnitOfWork, looking, unit_of_work

log = structlog.get_logger(__name__)

OPERATOR_ID = UUID(int=0)
NO_TIME, ONE_SECOND = timedelta(), timedelta(seconds=1)
"""Tokens carry their time in whole seconds."""


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
class Account:
    """An account of the auth server, as a token or an answer of the auth server states it."""

    id: UUID
    email: str
    name: str
    issued_at: datetime
    """When the auth server stated this, in whole seconds if it is from a token."""
    is_verified: bool = True
    is_answer: bool = False
    """Whether the auth server has just answered so. Then it is newer than tokens of the same second."""

    def is_newer_than(self, since: datetime | None) -> bool:
        """Whether this may change an address that is settled since then."""
        if not self.is_verified:
            return False
        return since is None or self.issued_at + (ONE_SECOND if self.is_answer else NO_TIME) >= since


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
    category: str = "general"
    timezone: str = "Asia/Kolkata"

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


async def find_principal(reads: Reading, user_id: UUID, session_id: str, now: datetime) -> Principal | None:
    """The user with this id. None without a profile, or if the user is banned."""
    member = (await reads.users.summaries([user_id])).get(user_id)
    return principal_of(member, session_id, now) if member is not None and member.active else None


async def is_active(parts: Components, user_id: UUID) -> bool:
    """Whether a user is not banned, as far as this process knows. Who is not remembered is looked up."""
    if parts.active_users.include(user_id):
        return True
    return await parts.lookup_batches.outcome(is_active, user_id, partial(_are_active, parts))


async def _are_active(parts: Components, user_ids: Sequence[UUID]) -> Sequence[bool]:
    before = parts.revocations.changes
    async with looking(parts.batch_engine) as reads:
        active = await reads.users.active_among(user_ids)
    for user_id in active:
        parts.active_users.add(user_id, before)
    return [user_id in active for user_id in user_ids]


async def caller_of(parts: Components, account: Account) -> MemberSummary:
    """Who sends a request with an access token of this account, read together with those who wait.

    A profile is created, or gets a newer address, as by `member_of`.
    """
    found = await parts.lookup_batches.outcome(caller_of, account.id, partial(_callers, parts))
    if found is not None and not has_newer_address(found.email, found.email_since, account):
        return found
    async with unit_of_work(parts.engine) as uow:
        return (await ensure_profile(uow, account)).summary


async def _callers(parts: Components, user_ids: Sequence[UUID]) -> Sequence[MemberSummary | None]:
    async with looking(parts.batch_engine) as reads:
        found = await reads.users.summaries(set(user_ids))
    return [found.get(user_id) for user_id in user_ids]


async def member_of(engine: AsyncEngine, account: Account) -> Member:
    """The profile of an account for which the auth server has just opened a session.

    It is created at the first request. An address that is newer at the auth server is brought along. One
    statement reads, and only what has changed is written.
    """
    async with looking(engine) as reads:
        member = await reads.users.member(account.id)
    if member is not None and not has_newer_address(member.user.email, member.user.email_since, account):
        return member
    async with unit_of_work(engine) as uow:
        return await ensure_profile(uow, account)


async def ensure_profile(uow: UnitOfWork, account: Account) -> Member:
    """The profile of an account, created with a mail of welcome if there is none, with the newest address.

    Anybody can register any name at the auth server, so names and addresses are cleaned.
    """
    member = await uow.users.member(account.id)
    if member is None:
        if await uow.users.add(account.id, "", person_name(account.name, account.email)):
            uow.jobs.add("send_welcome_mail", user_id=str(account.id))
        member = await uow.users.member(account.id)
    assert member is not None  # noqa: S101 -- it was created above
    if has_newer_address(member.user.email, member.user.email_since, account):
        await _follow_address(uow, account)
        member = await uow.users.member(account.id)
    assert member is not None  # noqa: S101 -- profiles are not deleted here
    return member


def has_newer_address(email: str, email_since: datetime | None, account: Account) -> bool:
    """Whether the auth server has another address than the profile, and says so later than what is known."""
    if account.email == email:
        return False
    address = stored_address(account.email)
    return bool(address) and address != email and account.is_newer_than(email_since)


async def _follow_address(uow: UnitOfWork, account: Account) -> None:
    """Store the address of an account. Another profile that holds it loses it (docs/decisions/0055).

    The auth server gives an address to one account at a time. So the account of the other profile was deleted
    or has moved to another address, unless what the other profile knows is newer.
    """
    address = stored_address(account.email)
    locked = await uow.users.lock_addresses(account.id, address)
    holders = [user for user in locked if user.id != account.id]
    own = next(user for user in locked if user.id == account.id)
    if not account.is_newer_than(own.email_since):
        return  # Another request was faster.
    settled_at = account.issued_at.replace(microsecond=0) + ONE_SECOND
    if not all(account.is_newer_than(user.email_since) for user in holders):
        own.email_since = settled_at
        return
    for user in holders:
        user.email, user.email_since = "", settled_at
        log.warning("address_taken_over", user_id=str(user.id), by=str(own.id))
    is_first = own.email_since is None and not own.email
    own.email, own.email_since = address, account.issued_at if is_first else settled_at
    if not is_first:
        log.info("address_followed", user_id=str(own.id))


def account_of(claims: AccessClaims) -> Account:
    """The account of an access token."""
    return Account(
        claims.user_id, claims.email, claims.name or "", claims.issued_at, claims.is_email_verified
    )


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


async def change_profile(uow: UnitOfWork, user: Principal, update: ProfileUpdate, now: datetime) -> User:
    """Change the user's own profile. In another time zone quiet hours end at another time."""
    names = changed_fields(update)
    if names:
        await uow.users.change(user.id, {name: getattr(update, name) for name in names})
    if "timezone" in names and await uow.preferences.of(user.id) is not None:
        await uow.preferences.lock(user.id)  # See `_defer` in services/notifications/delivering.py.
        await uow.deliveries.end_deferral(user.id, now)
    return await profile(uow, user)


def principal_of(member: MemberSummary, session_id: str, now: datetime) -> Principal:
    """The principal of a member now."""
    return Principal(
        id=member.id,
        session_id=session_id,
        email=member.email,
        name=member.name,
        institute_id=member.institute_id,
        role=Role(member.role),
        enrolled=member.enrolment.is_active(now),
        category=member.category,
        timezone=member.timezone,
    )
