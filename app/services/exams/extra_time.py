"""The extra time that an exam's grants give to each of its candidates."""

from collections.abc import Collection, Iterable, Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from app.engine import schedule
from app.models import Accommodation, Registration


class ExtraTimes:
    """The grants of an exam, indexed: thousands of candidates are looked up in thousands of grants."""

    def __init__(self, granted: Iterable[Accommodation]) -> None:
        self._own: dict[UUID, timedelta] = {}
        self._groups: dict[str, timedelta] = {}
        for row in granted:
            length = timedelta(seconds=row.extra_seconds)
            if row.user_id is not None:
                self._own[row.user_id] = length
            elif row.candidate_group is not None:
                self._groups[row.candidate_group] = length

    def with_changes(self, grants: Iterable[Mapping[str, Any]]) -> "ExtraTimes":
        """The same with other grants for some holders: `{user_id or group, extra_seconds}` each."""
        changed = ExtraTimes(())
        changed._own, changed._groups = dict(self._own), dict(self._groups)
        for grant in grants:
            length = timedelta(seconds=grant["extra_seconds"])
            if grant["user_id"] is not None:
                changed._own[UUID(grant["user_id"])] = length
            else:
                changed._groups[grant["group"]] = length
        return changed

    @property
    def people(self) -> Collection[UUID]:
        """The users with a personal grant."""
        return self._own.keys()

    def of(self, registration: Registration) -> timedelta:
        """The extra time of a registered candidate."""
        own = self._own.get(registration.user_id) if registration.user_id is not None else None
        groups = [self._groups[group] for group in groups_of(registration) if group in self._groups]
        return schedule.accommodation(own, groups)


def groups_of(registration: Registration) -> frozenset[str]:
    """The groups of candidates that a registered candidate belongs to."""
    return frozenset({"all", "pwbd"} if registration.pwbd is not None else {"all"})
