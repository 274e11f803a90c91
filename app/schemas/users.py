"""Profiles."""

import json
from datetime import datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID
from zoneinfo import available_timezones

from pydantic import AfterValidator, ConfigDict, Field, HttpUrl, StringConstraints, model_validator

from app.models import Role
from app.repositories.users import Enrolment, Member
from app.schemas.auth import Name
from app.schemas.common import ONE_LINE, In, LanguageTag, Out
from app.schemas.strict import Moment
from app.sentences import Sentence
from app.services.enrolments import MAX_BATCH_NAME_LENGTH, MAX_BATCHES, EnrolmentOrder
from app.sheets.reports import ImportReport

MAX_PREFERENCES_DEPTH = 10
MAX_PREFERENCES_BYTES = 20_000

Category = Literal["general", "ews", "obc", "sc", "st"]


def _known_timezone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError("Send an IANA time zone, such as Asia/Kolkata.")
    return name


Timezone = Annotated[str, StringConstraints(max_length=64), AfterValidator(_known_timezone)]


def _shallow(preferences: dict[str, Any]) -> dict[str, Any]:
    """Limit the depth, because Pydantic and orjson cannot serialize deeply nested values."""
    level: list[Any] = [preferences]
    for _ in range(MAX_PREFERENCES_DEPTH):
        values = (item.values() if isinstance(item, dict) else item for item in level)
        level = [value for items in values for value in items if isinstance(value, dict | list)]
        if not level:
            return _short(preferences)
    template = "Preferences may be nested at most {most} levels deep."
    raise ValueError(Sentence(template, most=MAX_PREFERENCES_DEPTH))


def _short(preferences: dict[str, Any]) -> dict[str, Any]:
    """Limit the size, because every request of the user reads the profile with its preferences."""
    if len(json.dumps(preferences, ensure_ascii=False).encode(errors="replace")) > MAX_PREFERENCES_BYTES:
        template = "Preferences may take at most {most} bytes as JSON."
        raise ValueError(Sentence(template, most=MAX_PREFERENCES_BYTES))
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


Batch = Annotated[str, StringConstraints(min_length=1, max_length=MAX_BATCH_NAME_LENGTH), ONE_LINE]


class EnrolmentIn(In):
    """The enrolment that a user should have. It replaces the one before."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"enrolled": True, "valid_until": "2027-06-30T18:29:59Z", "batches": ["2027-A"]}]
        }
    )

    enrolled: bool
    valid_until: Annotated[
        Moment | None, Field(description="When access ends by itself; null or left out: never")
    ] = None
    batches: Annotated[list[Batch], Field(default_factory=list, max_length=MAX_BATCHES)]

    @model_validator(mode="after")
    def _ended_has_nothing(self) -> Self:
        if not self.enrolled and (self.valid_until is not None or self.batches):
            raise ValueError("Send no valid_until and no batches with enrolled: false.")
        return self

    def order(self) -> EnrolmentOrder:
        """What the service is asked for."""
        return EnrolmentOrder(self.enrolled, self.valid_until, self.batches)


class EnrolmentOut(Out):
    """Whether a user may take tests for enrolled candidates, until when, and the batches of the user."""

    enrolled: bool
    enrolled_at: datetime | None
    valid_until: datetime | None
    batches: list[str]

    @classmethod
    def of(cls, enrolment: Enrolment, now: datetime) -> Self:
        """The enrolment as it is now. One that has passed its end keeps its times and batches."""
        return cls(
            enrolled=enrolment.is_active(now),
            enrolled_at=enrolment.since,
            valid_until=enrolment.until,
            batches=list(enrolment.batches),
        )


class RosterNoteOut(Out):
    """An error or a warning in one cell of a roster. The header is row 1."""

    row: int
    field: str
    message: str
    cell: str | None
    """The cell as the spreadsheet names it: `Sheet1!B7`, in CSV `B7`."""


class RosterImportOut(Out):
    """What the import of a roster did, or with `dry_run` would do; where there are errors, nothing."""

    created: int
    updated: int
    unchanged: int
    errors: list[RosterNoteOut]
    warnings: list[RosterNoteOut]

    @classmethod
    def of(cls, report: ImportReport) -> Self:
        """The report of an import."""
        return cls(
            created=report.created,
            updated=report.updated,
            unchanged=report.unchanged,
            errors=[RosterNoteOut.model_validate(error) for error in report.errors],
            warnings=[RosterNoteOut.model_validate(warning) for warning in report.warnings],
        )


class MemberOut(Out):
    """A user for administrators."""

    id: UUID
    email: str
    name: str
    role: Role
    active: bool
    created_at: datetime
    enrolment: EnrolmentOut

    @classmethod
    def of(cls, member: Member, now: datetime) -> Self:
        """A member of the institute, as of now."""
        user = member.user
        return cls(
            id=user.id,
            email=user.email,
            name=user.name,
            role=Role(member.role),
            active=user.active,
            created_at=user.created_at,
            enrolment=EnrolmentOut.of(member.enrolment, now),
        )
