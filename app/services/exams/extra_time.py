"""The extra time that an exam's grants give to each of its candidates."""

from collections.abc import Collection, Iterable
from datetime import timedelta
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
