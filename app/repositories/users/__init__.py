"""Profiles, memberships and revocations."""

from app.repositories.users.users import (
    Enrolment,
    Member,
    RevocationRepository,
    UserRepository,
)

__all__ = [
    "Enrolment",
    "Member",
    "RevocationRepository",
    "UserRepository",
]
