"""Profiles, memberships and revocations."""

from app.repositories.users.users import (
    Member,
    RevocationRepository,
    UserRepository,
)

__all__ = [
    "Member",
    "RevocationRepository",
    "UserRepository",
]
