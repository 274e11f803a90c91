"""A paper of the rehearsed exam: its questions, its path and its window."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from rehearsal.attempts import RehearsedTest
from rehearsal.exam.server_clock import ServerClock
from rehearsal.exam.timetable import Window
from rehearsal.questions import Question

_SECRETS = ('"accepted"', '"explanation"', '"tolerance"', '"key"')


@dataclass(frozen=True, slots=True, kw_only=True)
class RehearsedPaper(RehearsedTest):
    """What all candidates of a paper share. A postponement changes the shared `timetable`."""

    exam_id: UUID
    paper_id: UUID
    index: int
    code: str
    questions: Sequence[Question]
    qualifying_percent: int | None
    clock: ServerClock
    timetable: list[Window]
    _checked: set[bytes] = field(default_factory=set)

    @property
    def path(self) -> str:
        return f"/exams/{self.exam_id}/papers/{self.paper_id}"

    @property
    def window(self) -> Window:
        return self.timetable[self.index]

    def is_known(self, document: bytes) -> bool:
        """Whether this document was served before and had no problems."""
        return document in self._checked

    def document_problems(self, document: bytes) -> list[str]:
        """What is wrong with the document of a paper. Each document is examined once."""
        if document in self._checked:
            return []
        found = []
        text = document.decode()
        if len(json.loads(text)["questions"]) != len(self.question_ids):
            found.append("the paper is not complete")
        if any(secret in text for secret in _SECRETS):
            found.append("the paper shows its key")
        if not found:
            self._checked.add(document)
        return found
