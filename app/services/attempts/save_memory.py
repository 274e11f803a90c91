"""What each process remembers of the attempts that are being saved, so that a save needs no query for it."""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.core.errors import TooManyRequests
from app.engine.save_limits import Pace, paced
from app.engine.timing import SectionWindow

COUNT_EVERY = 1_000
"""Events of one attempt after which a process has them counted in the database."""


@dataclass(frozen=True, slots=True)
class SectionTimes:
    """When the timed sections of an attempt open and close, with the time that was given to the attempt."""

    windows: Sequence[SectionWindow]
    given_time: str
    """What the windows were computed from (`given_time_of`)."""


@dataclass(slots=True)
class AttemptMemory:
    """What this process remembers of one attempt."""

    pace: Pace
    uncounted: int = 0
    """Events that were stored since they were last counted."""
    is_full: bool = False
    """Whether the log has the largest number of events, and takes no more."""

    section_times: SectionTimes | None = None
    """As they were read last. The statement that saves finds out if they have changed."""

    @property
    def is_count_due(self) -> bool:
        """Whether the log should be counted before more is stored."""
        return self.uncounted >= COUNT_EVERY


class SaveMemory:
    """The attempts that were saved most recently. The limits are approximate: an attempt that is dropped from
    memory starts again without a history.

    Each of N processes allows the whole pace, and counts the log after every thousand events of its own. An
    attempt ends with at most N thousand events more than the limit.
    """

    def __init__(self, capacity: int = 50_000) -> None:
        self._capacity = capacity
        self._attempts: OrderedDict[tuple[UUID, UUID], AttemptMemory] = OrderedDict()

    def admit(self, user_id: UUID, attempt_id: UUID, now: datetime) -> AttemptMemory:
        """Count a call. Raises TooManyRequests; then nothing of it may be stored.

        Calls are counted by person and attempt: who names another person's attempt slows only themselves.
        """
        memory = self._memory_of(user_id, attempt_id, now)
        pace = paced(memory.pace, now)
        if pace is None:
            raise TooManyRequests(
                1, "This attempt is saved too fast. The request changed nothing; answers saved before count."
            )
        memory.pace = pace
        return memory

    def _memory_of(self, user_id: UUID, attempt_id: UUID, now: datetime) -> AttemptMemory:
        key = user_id, attempt_id
        if (memory := self._attempts.get(key)) is None:
            memory = self._attempts[key] = AttemptMemory(Pace(now))
            if len(self._attempts) > self._capacity:
                self._attempts.popitem(last=False)
        else:
            self._attempts.move_to_end(key)
        return memory
