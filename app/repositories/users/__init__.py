"""Profiles, memberships and revocations."""

from app.repositories.users.users import (
    Enrolment,
    Member,
    MemberSummary,
    RevocationRepository,
    UserRepository,
)

__all__ = [
    "Enrolment",
    "Member",
    "MemberSummary",
    "RevocationRepository",
    "UserRepository",
]
