"""Who keeps an older version of a question that was changed."""

from typing import Annotated, Self
from uuid import UUID

from pydantic import Field

from app.repositories.tests import KeptVersion
from app.schemas.common import LocalizedText, Out


class KeepingExamOut(Out):
    """An exam that is neither released nor cancelled, and has a version of the question in a paper."""

    id: UUID
    title: LocalizedText


class KeptVersionOut(Out):
    """A version of the question that a published paper keeps."""

    version: int
    exams: list[KeepingExamOut]
    running_attempts: Annotated[int, Field(description="Attempts in progress or paused with this version")]

    @classmethod
    def of(cls, kept: KeptVersion) -> Self:
        """Return the version with who keeps it."""
        exams = [KeepingExamOut(id=id_, title=title) for id_, title in kept.exams]
        return cls(version=kept.number, exams=exams, running_attempts=kept.running_attempts)
