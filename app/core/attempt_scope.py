"""The scope of an attempt, and the reference by which a request identifies an attempt."""

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class AttemptScope:
    """The test of an attempt and, if the test is taken as a paper of an exam, the exam paper."""

    test_id: UUID
    exam_paper_id: UUID | None = None
    """None if the test is not taken in an exam."""


@dataclass(frozen=True, slots=True)
class AttemptRef:
    """A reference to an attempt. It matches only an attempt of this user in this scope."""

    id: UUID
    user_id: UUID
    scope: AttemptScope
