"""Profiles."""

import json
from datetime import datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID
from zoneinfo import available_timezones

from pydantic import AfterValidator, Field, HttpUrl, StringConstraints

from app.models import Role
from app.repositories.users import Member
from app.schemas.auth import Name
from app.schemas.common import In, LanguageTag, Out
from app.sentences import Sentence

DEEPEST_PREFERENCES = 10
LONGEST_PREFERENCES = 20_000

Category = Literal["general", "ews", "obc", "sc", "st"]


def _known_timezone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError("Send an IANA time zone, such as Asia/Kolkata.")
    return name


Timezone = Annotated[str, StringConstraints(max_length=64), AfterValidator(_known_timezone)]


def _shallow(preferences: dict[str, Any]) -> dict[str, Any]:
    """Limit the depth, because Pydantic and orjson cannot serialize deeply nested values."""
    level: list[Any] = [preferences]
    for _ in range(DEEPEST_PREFERENCES):
        values = (item.values() if isinstance(item, dict) else item for item in level)
        level = [value for items in values for value in items if isinstance(value, dict | list)]
        if not level:
            return _short(preferences)
    template = "Preferences may be nested at most {most} levels deep."
    raise ValueError(Sentence(template, most=DEEPEST_PREFERENCES))


def _short(preferences: dict[str, Any]) -> dict[str, Any]:
    """Limit the size, because every request of the user reads the profile with its preferences."""
    if len(json.dumps(preferences, ensure_ascii=False).encode(errors="replace")) > LONGEST_PREFERENCES:
        template = "Preferences may take at most {most} bytes as JSON."
        raise ValueError(Sentence(template, most=LONGEST_PREFERENCES))
    return preferences


Preferences = Annotated[dict[str, Any], Field(max_length=50), AfterValidator(_shallow)]


class ProfileIn(In):
    """Fields of the profile to change. Fields that are left out do not change."""

    name: Name | None = None
    category: Category | None = None
    pwbd: Annotated[int, Field(ge=1, le=5, description="Benchmark disability, 1 to 5")] | None = None
    target_year: Annotated[int, Field(ge=2000, le=2100)] | None = None
    language: LanguageTag | None = None
    timezone: Timezone | None = None
    avatar_url: Annotated[HttpUrl, Field(max_length=2000)] | None = None
    preferences: Preferences | None = None


class ProfileOut(Out):
    """A profile."""

    id: UUID
    email: str
    name: str
    category: Category
    pwbd: int | None
    target_year: int | None
    language: str
    timezone: str
    avatar_url: str | None
    preferences: dict[str, Any]


class RoleIn(In):
    """The new role."""

    role: Role


class StatusIn(In):
    """Whether the user may sign in."""

    active: bool


class MemberOut(Out):
    """A user for administrators."""

    id: UUID
    email: str
    name: str
    role: Role
    active: bool
    created_at: datetime

    @classmethod
    def of(cls, member: Member) -> Self:
        """A member of the institute."""
        user = member.user
        return cls(
            id=user.id,
            email=user.email,
            name=user.name,
            role=Role(member.role),
            active=user.active,
            created_at=user.created_at,
        )
