"""The author: imports the questions from a sheet, and publishes the test."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from rehearsal.questions import Question, sheet, test_body
from rehearsal.staff import Staff


class Author(Staff):
    """Makes and publishes the test that is rehearsed."""

    async def publish(
        self, questions: Sequence[Question], seconds: int, paper: str = ""
    ) -> tuple[UUID, list[UUID]]:
        """Returns the id of the published test and its questions' ids in the order given.

        `paper` distinguishes the tests of one author.
        """
        label = self.label + paper
        await self._import(questions, label)
        ids, subject_id = await self._imported(label, len(questions))
        body = test_body(questions, ids, label, seconds, subject_id)
        test = await self.ask("POST", "/tests", json=body)
        test_id = test.body["id"]
        await self.ask("POST", f"/tests/{test_id}/publish")
        return UUID(test_id), [UUID(id_) for id_ in ids]

    async def archive(self, test_id: UUID) -> None:
        """Take the test out of the candidates' lists."""
        await self.ask("POST", f"/tests/{test_id}/archive")

    async def _import(self, questions: Sequence[Question], label: str) -> None:
        # The key of a dropped question is the empty one.
        form = {"subject": "Rehearsals", "empty_key": "dropped"}
        file = {"file": ("questions.csv", sheet(questions, label))}
        await self.ask("POST", "/questions/import", data=form, files=file)

    async def _imported(self, label: str, count: int) -> tuple[list[str], str]:
        """Returns the ids of the questions in the order of the sheet, and the id of their subject."""
        found: dict[str, Any] = {}
        wanted: dict[str, Any] = {"tag": label, "limit": 100}
        while len(found) < count:
            page = await self.ask("GET", "/questions", params=wanted)
            found |= {item["external_id"]: item for item in page.body["items"]}
            if page.body["next_cursor"] is None:
                break
            wanted["cursor"] = page.body["next_cursor"]
        items = [found[f"{label}-{number}"] for number in range(1, count + 1)]
        return [item["id"] for item in items], items[0]["subject_id"]
