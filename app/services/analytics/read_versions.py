"""Which version of an answer a candidate would get now: one that was sent before may be sent again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from uuid import UUID

from app.models import DEFAULT_INSTITUTE_ID, Role
from app.repositories.analytics.read_versions import Asked, ReadVersion
from app.services.components import Components
from app.services.unit_of_work import looking
from app.services.users import Account, Principal, has_newer_address


@dataclass(frozen=True, slots=True)
class CurrentVersion:
    """The version of an answer, and the candidate whom it is for. The session is not known here."""

    digest: str
    candidate: Principal


async def version_of(parts: Components, account: Account, test_id: UUID | None) -> CurrentVersion | None:
    """The version of what a candidate reads of a test, or of all their tests; others ask at the same time.

    Two answers of one version are equal, except for what docs/decisions/0096 lists. None if the person is
    staff or banned, or has a newer address.
    """
    return await parts.lookup_batches.outcome(version_of, (account, test_id), partial(_versions, parts))


async def are_profiles_at(parts: Components, versions: Mapping[UUID, str]) -> bool:
    """Whether the profiles of people who appear on a board still have these versions."""
    if not versions:
        return True
    return await parts.lookup_batches.outcome(are_profiles_at, versions, partial(_are_at, parts))


async def _versions(
    parts: Components, asked: Sequence[tuple[Account, UUID | None]]
) -> Sequence[CurrentVersion | None]:
    wanted: list[Asked] = [(account.id, test_id) for account, test_id in asked]
    async with looking(parts.batch_engine) as reads:
        found = await reads.read_versions.of(list(dict.fromkeys(wanted)))
    now = parts.clock.now()
    return [
        None
        if (version := found.get(each)) is None
        or has_newer_address(version.email, version.email_since, account)
        else CurrentVersion(version.digest, _candidate(account.id, version, now))
        for each, (account, _) in zip(wanted, asked, strict=True)
    ]


def _candidate(user_id: UUID, found: ReadVersion, now: datetime) -> Principal:
    return Principal(
        id=user_id,
        session_id="",
        email=found.email,
        name=found.name,
        institute_id=DEFAULT_INSTITUTE_ID,
        role=Role.STUDENT,
        enrolled=found.enrolment.is_active(now),
        category=found.category,
        timezone=found.timezone,
    )


async def _are_at(parts: Components, asked: Sequence[Mapping[UUID, str]]) -> Sequence[bool]:
    everybody = frozenset[UUID]().union(*asked)
    async with looking(parts.batch_engine) as reads:
        found = await reads.read_versions.of_profiles(list(everybody))
    return [all(found.get(user_id) == version for user_id, version in each.items()) for each in asked]
