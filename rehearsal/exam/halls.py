"""A paper of the rehearsed exam: what was written, where it is taken, and when."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from rehearsal.exam.server_time import ServerTime
from rehearsal.exam.timetable import Window
from rehearsal.questions import Question
from rehearsal.sittings import Hall

_SECRETS = ('"accepted"', '"explanation"', '"tolerance"', '"key"')


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperHall(Hall):
    """What all candidates of a paper share. `timetable` is the exam's: a postponement moves it for all."""

    exam_id: UUID
    paper_id: UUID
    place: int
    code: str
    questions: Sequence[Question]
    qualifying_percent: int | None
    time: ServerTime
    timetable: list[Window]
    _approved: set[bytes] = field(default_factory=set)

    @property
    def path(self) -> str:
        return f"/exams/{self.exam_id}/papers/{self.paper_id}"

    @property
    def window(self) -> Window:
        return self.timetable[self.place]

    def is_known(self, document: bytes) -> bool:
        """Whether exactly this was served to somebody, and nothing was wrong with it."""
        return document in self._approved

    def complaints(self, document: bytes) -> list[str]:
        """What is wrong with a paper as it was served; each version of it is read once."""
        if document in self._approved:
            return []
        found = []
        text = document.decode()
        if len(json.loads(text)["questions"]) != len(self.question_ids):
            found.append("the paper is not complete")
        if any(secret in text for secret in _SECRETS):
            found.append("the paper tells its key")
        if not found:
            self._approved.add(document)
        return found
