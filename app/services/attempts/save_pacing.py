"""How fast each attempt is being saved, in the memory of each process: a save asks nobody for it."""

from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.core.errors import SaveLimitReached, TooManyRequests
from app.engine.save_limits import Pace, paced

COUNT_EVERY = 1_000
"""Events of one attempt after which a process has them counted in the database."""


@dataclass(slots=True)
class Saver:
    """One attempt, as far as this process has saved it."""

    pace: Pace
    uncounted: int = 0
    """Events that were stored since they were last counted."""
    is_full: bool = False

    @property
    def is_count_due(self) -> bool:
        """Whether the log should be counted before more is stored."""
        return self.uncounted >= COUNT_EVERY


class SavePacing:
    """The attempts that were saved last. What is forgotten begins anew, so that the bounds are soft ones.

    Each of N processes allows the whole pace, and looks at the log after every thousand events of its own:
    an attempt ends with at most N thousand events more than the bound.
    """

    def __init__(self, capacity: int = 50_000) -> None:
        self._capacity = capacity
        self._savers: OrderedDict[tuple[UUID, UUID], Saver] = OrderedDict()

    def admit(self, user_id: UUID, attempt_id: UUID, responses: int, now: datetime) -> Saver:
        """Count a call. Raises TooManyRequests, or SaveLimitReached; then nothing of it may be stored.

        Counted by person and attempt: who names another person's attempt slows nobody but themselves.
        """
        saver = self._saver(user_id, attempt_id, now)
        if saver.is_full:
            raise SaveLimitReached
        pace = paced(saver.pace, responses, now)
        if pace is None:
            raise TooManyRequests(1, "This attempt is saved too fast. None of the answers was saved.")
        saver.pace = pace
        return saver

    def _saver(self, user_id: UUID, attempt_id: UUID, now: datetime) -> Saver:
        key = user_id, attempt_id
        if (saver := self._savers.get(key)) is None:
            saver = self._savers[key] = Saver(Pace(now))
            if len(self._savers) > self._capacity:
                self._savers.popitem(last=False)
        else:
            self._savers.move_to_end(key)
        return saver
