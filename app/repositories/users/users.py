"""Profiles, memberships and revocations."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Row, Uuid, and_, any_, bindparam, case, delete, func, literal, or_, select, update
from sqlalchemy.dialects.postgresql import ARRAY, insert

from app.models import (
    DEFAULT_INSTITUTE_ID,
    DEFAULT_INSTITUTE_NAME,
    Institute,
    Membership,
    Revocation,
    Role,
    User,
)
from app.repositories.base import Page, PageRequest, Repository
from app.repositories.locks import Mode, Rank


@dataclass(frozen=True, slots=True)
class Enrolment:
    """Whether and until when a member may take tests for enrolled candidates, and the member's batches."""

    since: datetime | None = None
    """None: not enrolled."""
    until: datetime | None = None
    """None: without an end."""
    batches: Sequence[str] = ()

    def is_active(self, now: datetime) -> bool:
        """Whether it gives access now."""
        return self.since is not None and (self.until is None or now < self.until)


@dataclass(frozen=True, slots=True)
class MemberSummary:
    """What a request needs to know of its user."""

    id: UUID
    email: str
    email_since: datetime | None
    name: str
    active: bool
    category: str
    timezone: str
    institute_id: UUID
    role: str
    enrolment: Enrolment


@dataclass(frozen=True, slots=True)
class Member:
    """A user, with the whole profile, and the role in the institute."""

    user: User
    institute_id: UUID
    role: str
    enrolment: Enrolment

    @property
    def summary(self) -> MemberSummary:
        """What a request needs to know of this member."""
        user = self.user
        return MemberSummary(
            user.id,
            user.email,
            user.email_since,
            user.name,
            user.active,
            user.category,
            user.timezone,
            self.institute_id,
            self.role,
            self.enrolment,
        )


# Kept, because each request asks it, and to build it takes longer than PostgreSQL's part.
_SUMMARIES = (
    select(
        User.id,
        User.email,
        User.email_since,
        User.name,
        User.active,
        User.category,
        User.timezone,
        Membership.institute_id,
        Membership.role,
        Membership.enrolled_at,
        Membership.enrolled_until,
        Membership.batches,
    )
    .join(Membership, Membership.user_id == User.id)
    .where(
        User.id == any_(bindparam("user_ids", type_=ARRAY(Uuid))),
        Membership.institute_id == DEFAULT_INSTITUTE_ID,
    )
)

_MEMBER = (
    select(User, Membership)
    .join(Membership, Membership.user_id == User.id)
    .where(User.id == bindparam("user_id", type_=Uuid), Membership.institute_id == DEFAULT_INSTITUTE_ID)
    .execution_options(populate_existing=True)
)


class UserRepository(Repository):
    """People of the default institute."""

    async def ensure_default_institute(self) -> None:
        """Create the default institute if it does not exist."""
        values = {"id": DEFAULT_INSTITUTE_ID, "slug": "default", "name": DEFAULT_INSTITUTE_NAME}
        await self._session.execute(insert(Institute).values(values).on_conflict_do_nothing())

    async def member(self, user_id: UUID) -> Member | None:
        """The member with this user id, or None without a profile."""
        row = (await self._session.execute(_MEMBER, {"user_id": user_id})).one_or_none()
        if row is None:
            return None
        return member_of(*row)

    async def summaries(self, user_ids: Collection[UUID]) -> Mapping[UUID, MemberSummary]:
        """What requests need to know of these users, by their ids. Who has no profile is left out."""
        rows = await self._session.execute(_SUMMARIES, {"user_ids": list(user_ids)})
        return {row.id: _summary(row) for row in rows}

    async def lock_roles(self, user_id: UUID) -> None:
        """Lock the memberships of all admins and of this user."""
        statement = select(Membership.user_id).where(
            Membership.institute_id == DEFAULT_INSTITUTE_ID,
            (Membership.role == "admin") | (Membership.user_id == user_id),
        )
        await self._lock(Rank.MEMBERSHIP, Mode.CHANGE, statement.order_by(Membership.user_id))

    async def has_other_admin(self, user_id: UUID) -> bool:
        """Whether another user is an admin and not banned."""
        statement = (
            select(Membership.user_id)
            .join(User, User.id == Membership.user_id)
            .where(
                Membership.institute_id == DEFAULT_INSTITUTE_ID,
                Membership.role == "admin",
                Membership.user_id != user_id,
                User.active,
            )
        )
        return bool(await self._session.scalar(select(statement.exists())))

    async def is_active(self, user_id: UUID) -> bool:
        """Whether the user exists and is not banned."""
        return bool(await self._session.scalar(select(User.active).where(User.id == user_id)))

    async def active_among(self, user_ids: Collection[UUID]) -> set[UUID]:
        """Which of these users exist and are not banned."""
        asked = literal(list(user_ids), ARRAY(Uuid))
        statement = select(User.id).where(User.id == any_(asked), User.active)
        return set(await self._session.scalars(statement))

    async def page(self, query: str | None, role: str | None, page: PageRequest) -> Page[Member]:
        """Users by part of their name or address and by role, ordered by id."""
        statement = select(User).join(Membership, Membership.user_id == User.id)
        statement = statement.where(
            Membership.institute_id == DEFAULT_INSTITUTE_ID, User.deleted_at.is_(None)
        )
        if role is not None:
            statement = statement.where(Membership.role == role)
        if query:
            matches = User.name.icontains(query, autoescape=True) | User.email.icontains(
                query, autoescape=True
            )
            statement = statement.where(matches)
        users = await self._page(statement, [User.id], page)
        ids = [user.id for user in users.items]
        memberships = await self._session.scalars(
            select(Membership).where(
                Membership.user_id.in_(ids), Membership.institute_id == DEFAULT_INSTITUTE_ID
            )
        )
        membership_of = {membership.user_id: membership for membership in memberships}
        return Page([member_of(user, membership_of[user.id]) for user in users.items], users.next_cursor)

    async def staff(self) -> Sequence[Member]:
        """All members with a role of staff, by role and address, also banned ones."""
        statement = (
            select(User, Membership)
            .join(Membership, Membership.user_id == User.id)
            .where(
                Membership.institute_id == DEFAULT_INSTITUTE_ID,
                Membership.role != Role.STUDENT,
                User.deleted_at.is_(None),
            )
            .order_by(Membership.role, User.email)
        )
        return [member_of(*row) for row in await self._session.execute(statement)]

    async def add(self, user_id: UUID, email: str, name: str) -> bool:
        """Insert a profile with a student's membership. Returns False if the profile exists already."""
        profile = insert(User).values(id=user_id, email=email, name=name).on_conflict_do_nothing()
        made = (await self._session.execute(profile.returning(User.id))).one_or_none() is not None
        membership = {"institute_id": DEFAULT_INSTITUTE_ID, "user_id": user_id}
        await self._session.execute(insert(Membership).values(membership).on_conflict_do_nothing())
        return made

    async def change(self, user_id: UUID, values: dict[str, Any]) -> None:
        """Change columns of a profile."""
        await self._session.execute(update(User).where(User.id == user_id).values(**values))

    async def set_role(self, user_id: UUID, role: str, now: datetime) -> None:
        """Change the role of a member, and store until when they were staff.

        Grading reads that: docs/decisions/0054.
        """
        was_staff = Membership.role != Role.STUDENT
        await self._session.execute(
            update(Membership)
            .where(Membership.user_id == user_id, Membership.institute_id == DEFAULT_INSTITUTE_ID)
            .values(role=role, last_staff_at=case((was_staff, now), else_=Membership.last_staff_at))
        )

    async def enrolment(self, user_id: UUID) -> Enrolment:
        """The enrolment of a member as it is committed now."""
        columns = Membership.enrolled_at, Membership.enrolled_until, Membership.batches
        statement = select(*columns).where(
            Membership.user_id == user_id, Membership.institute_id == DEFAULT_INSTITUTE_ID
        )
        row = (await self._session.execute(statement)).one_or_none()
        return Enrolment(*row) if row is not None else Enrolment()

    async def set_enrolment(self, user_id: UUID, enrolment: Enrolment) -> None:
        """Replace the enrolment of a member. The user must be locked: a start reads it under that lock."""
        await self._session.execute(
            update(Membership)
            .where(Membership.user_id == user_id, Membership.institute_id == DEFAULT_INSTITUTE_ID)
            .values(
                enrolled_at=enrolment.since,
                enrolled_until=enrolment.until,
                batches=list(enrolment.batches),
            )
        )

    async def lock_addresses(self, user_id: UUID, address: str) -> Sequence[User]:
        """Lock a user, and every user who has this address, in the order of their ids."""
        statement = select(User).where(or_(User.id == user_id, User.email == address)).order_by(User.id)
        return (await self._lock(Rank.USER, Mode.CHANGE, statement)).all()

    async def lock(self, user_id: UUID) -> bool:
        """Lock a user, so that one transaction at a time starts or ends attempts.

        Returns whether they are not banned.
        """
        locked = await self._lock(Rank.USER, Mode.CHANGE, select(User.active).where(User.id == user_id))
        return bool(locked.one_or_none())


class RevocationRepository(Repository):
    """Revocations of access tokens."""

    async def add(
        self,
        user_id: UUID,
        *,
        session_id: str | None = None,
        except_session_id: str | None = None,
        issued_before: datetime,
        expires_at: datetime,
    ) -> Revocation:
        revocation = Revocation(
            user_id=user_id,
            session_id=session_id,
            except_session_id=except_session_id,
            issued_before=issued_before,
            expires_at=expires_at,
        )
        self._session.add(revocation)
        await self._session.flush()
        return revocation

    async def cover(self, user_id: UUID, session_id: str, signed_in_at: datetime) -> bool:
        """Whether a session is revoked. `Revocations.cover` answers the same from memory."""
        covers = or_(
            Revocation.session_id == session_id,
            and_(
                Revocation.session_id.is_(None),
                Revocation.issued_before > signed_in_at,
                Revocation.except_session_id.is_distinct_from(session_id),
            ),
        )
        statement = select(Revocation.id).where(Revocation.user_id == user_id, covers)
        return bool(await self._session.scalar(select(statement.exists())))

    async def delete_expired(self) -> None:
        """Delete expired revocations."""
        await self._session.execute(delete(Revocation).where(Revocation.expires_at < func.now()))

    async def since(self, moment: datetime) -> tuple[Sequence[Revocation], datetime]:
        """Unexpired revocations that were created after `moment`, and the time of the database."""
        read_at = await self._session.scalar(select(func.clock_timestamp()))
        statement = select(Revocation).where(
            Revocation.created_at > moment, Revocation.expires_at > func.now()
        )
        return (await self._session.scalars(statement)).all(), cast("datetime", read_at)


def _summary(row: Row[*tuple[Any, ...]]) -> MemberSummary:
    return MemberSummary(
        id=row.id,
        email=row.email,
        email_since=row.email_since,
        name=row.name,
        active=row.active,
        category=row.category,
        timezone=row.timezone,
        institute_id=row.institute_id,
        role=row.role,
        enrolment=Enrolment(row.enrolled_at, row.enrolled_until, row.batches),
    )


def member_of(user: User, membership: Membership) -> Member:
    """The member of these two rows."""
    enrolment = Enrolment(membership.enrolled_at, membership.enrolled_until, membership.batches)
    return Member(user, membership.institute_id, membership.role, enrolment)
