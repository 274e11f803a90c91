"""Institutes, users, memberships, requests for auth mails, and revocations."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Identity, Index, String, UniqueConstraint, func, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Identified, Timestamped

DEFAULT_INSTITUTE_ID = UUID("00000000-0000-7000-8000-000000000001")

DEFAULT_INSTITUTE_NAME = "Default institute"


class Role(StrEnum):
    """The role of a member of an institute. The API calls a candidate `student`."""

    STUDENT = "student"
    AUTHOR = "author"
    EVALUATOR = "evaluator"
    PROCTOR = "proctor"
    ADMIN = "admin"


class Institute(Identified, Timestamped, Base):
    """The owner of content, exams and memberships. `ias migrate` creates the default one."""

    __tablename__ = "institutes"

    slug: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]


def name_on_documents(institute: str) -> str:
    """The name of an institute on paper: "" if it has only that of the default one, which names nobody."""
    return "" if institute == DEFAULT_INSTITUTE_NAME else institute


class User(Timestamped, Base):
    """A person's profile, created at the first authenticated request. The id is that of the auth server."""

    __tablename__ = "users"
    __table_args__ = (
        CheckConstraint("category in ('general', 'ews', 'obc', 'sc', 'st')", name="category"),
        CheckConstraint("pwbd between 1 and 5", name="pwbd"),
        CheckConstraint("deleted_at is null or not active", name="deleted"),
        # Staff search by the beginning of an address, and admins by parts of names and addresses.
        Index("ix_users_email_prefix", "email", postgresql_ops={"email": "text_pattern_ops"}),
        Index(
            "ix_users_trigrams",
            "name",
            "email",
            postgresql_using="gin",
            postgresql_ops={"name": "gin_trgm_ops", "email": "gin_trgm_ops"},
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(index=True)
    """In lower case. Empty if the account has no valid address, or another account has taken it over."""
    email_since: Mapped[datetime | None]
    """Tokens that were issued before this time do not change the address. Null: every token may."""
    name: Mapped[str]
    category: Mapped[str] = mapped_column(server_default="general")
    pwbd: Mapped[int | None]
    target_year: Mapped[int | None]
    language: Mapped[str] = mapped_column(server_default="en")
    timezone: Mapped[str] = mapped_column(server_default="Asia/Kolkata")
    avatar_url: Mapped[str | None]
    preferences: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")
    active: Mapped[bool] = mapped_column(server_default="true")
    """Whether the person may sign in: neither banned nor deleted."""
    deleted_at: Mapped[datetime | None]
    """When the account was deleted. Lists leave it out. After the purge it is a pseudonym that holds what is
    kept of official attempts (docs/decisions/0063)."""


class Membership(Identified, Timestamped, Base):
    """One person's role in one institute, and the enrolment (docs/decisions/0062).

    `enrolled_at` gives access to tests for enrolled candidates, until `enrolled_until` if that is set.
    """

    __tablename__ = "memberships"
    __table_args__ = (
        UniqueConstraint("institute_id", "user_id"),
        CheckConstraint("role in ('student', 'author', 'evaluator', 'proctor', 'admin')", name="role"),
        Index(
            "ix_memberships_staff",
            "institute_id",
            "role",
            "user_id",
            postgresql_where=text("role <> 'student'"),
        ),
    )

    institute_id: Mapped[UUID] = mapped_column(ForeignKey("institutes.id"))
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    role: Mapped[str] = mapped_column(server_default=Role.STUDENT)
    enrolled_at: Mapped[datetime | None]
    enrolled_until: Mapped[datetime | None]
    batches: Mapped[list[str]] = mapped_column(ARRAY(String), server_default="{}")
    last_staff_at: Mapped[datetime | None]
    """When a role of staff was taken back last. Null for somebody who never was staff, or still is."""


class AuthMail(Identified, Base):
    """A request to the auth server for a mail. It is deleted when the auth server has accepted it.

    It is stored for every address, known or not, so that the answer takes the same time.
    """

    __tablename__ = "auth_mails"
    __table_args__ = (
        CheckConstraint("kind in ('recovery', 'signup')", name="kind"),
        Index("ix_auth_mails_due_at", "due_at"),
    )

    kind: Mapped[str]
    email: Mapped[str]
    client_address: Mapped[str | None]
    """The address of the client, by which Supabase limits requests."""
    created_at: Mapped[datetime]
    due_at: Mapped[datetime]
    tries: Mapped[int] = mapped_column(server_default="0")


class Invitation(Base):
    """An account that a roster has created, and the mail with which its person sets a password."""

    __tablename__ = "invitations"
    __table_args__ = (
        Index("ix_invitations_due_at", "due_at", postgresql_where=text("sent_at is null and error is null")),
    )

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    created_at: Mapped[datetime]
    due_at: Mapped[datetime]
    tries: Mapped[int] = mapped_column(server_default="0")
    sent_at: Mapped[datetime | None]
    error: Mapped[str | None]
    """Why the mail was given up."""


class Revocation(Base):
    """Access tokens that are revoked before they expire (docs/decisions/0004).

    With `session_id`: those of the session. Without it: those of the user that were issued before
    `issued_before`, except those of `except_session_id`. A row is kept until the last token expires.
    """

    __tablename__ = "revocations"
    __table_args__ = (
        Index("ix_revocations_created_at", "created_at"),
        Index("ix_revocations_user_id", "user_id"),
        Index("ix_revocations_expires_at", "expires_at"),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    user_id: Mapped[UUID]
    session_id: Mapped[str | None]
    except_session_id: Mapped[str | None]
    issued_before: Mapped[datetime]
    expires_at: Mapped[datetime]
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
