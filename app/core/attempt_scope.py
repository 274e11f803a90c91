"""Where an attempt belongs, and how a request names one."""

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class AttemptScope:
    """What is attempted: a test by itself, or a test as a paper of an exam."""

    test_id: UUID
    exam_paper_id: UUID | None = None
    """None for a test by itself."""


@dataclass(frozen=True, slots=True)
class AttemptRef:
    """An attempt as a request names it. It is found only if it is this person's and in this scope."""

    id: UUID
    user_id: UUID
    scope: AttemptScope
