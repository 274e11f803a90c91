"""The author of the disputed exam, who composes and releases it, decides objections and revises the key."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from rehearsal.client import UnexpectedResponse
from rehearsal.dispute.candidates import PublishedExam
from rehearsal.dispute.paper import Question, sheet, test_body
from rehearsal.staff import Staff

CUTOFFS = {"general": "87.54", "ews": "80.14", "obc": "84.85", "sc": "75.41", "st": "70.71"}
"""UPSC's cut-offs of Prelims 2021."""

_BEFORE_NOW = timedelta(seconds=30)
_WINDOW = timedelta(hours=2)
_POLL_SECONDS = 0.5

Json = dict[str, Any]


class DisputeAuthor(Staff):
    """Everything that staff do by the API."""

    async def publish_exam(self, questions: Sequence[Question]) -> PublishedExam:
        """Import the questions, publish the test, and an exam whose paper is open now."""
        form = {"subject": "Rehearsals", "empty_key": "dropped"}
        file = {"file": ("paper.csv", sheet(questions, self.label))}
        await self.ask("POST", "/questions/import", data=form, files=file)
        ids, subject_id = await self._imported(len(questions))
        test_id = (await self.ask("POST", "/tests", json=test_body(ids, self.label, subject_id))).body["id"]
        await self.ask("POST", f"/tests/{test_id}/publish")
        starts_at = datetime.now(UTC) - _BEFORE_NOW
        times = {"opens_at": starts_at.isoformat(), "closes_at": (starts_at + _WINDOW).isoformat()}
        exam = {"title": {"en": f"Dispute {self.label}"}, "cutoffs": CUTOFFS, **times}
        exam_id = (await self.ask("POST", "/exams", json=exam)).body["id"]
        paper = {
            "code": "GS1",
            "title": "General Studies I",
            "test_id": test_id,
            "starts_at": times["opens_at"],
            "entry_closes_at": times["closes_at"],
            "ends_at": times["closes_at"],
        }
        paper_id = (await self.ask("POST", f"/exams/{exam_id}/papers", json=paper)).body["id"]
        await self.ask("POST", f"/exams/{exam_id}/publish")
        return PublishedExam(exam_id, paper_id, test_id, ids)

    async def close_and_release(self, exam: PublishedExam, objection_seconds: float) -> Json:
        """Close the paper, set the window for objections, and release."""
        await self.ask("POST", f"{exam.path}/close", json={"reason": "Everybody has submitted."})
        opens_at = datetime.now(UTC)
        window = {
            "opens_at": opens_at.isoformat(),
            "closes_at": (opens_at + timedelta(seconds=objection_seconds)).isoformat(),
            "sources_required": 3,
            "limit": 10,
        }
        await self.ask("PATCH", exam.exam_path, json={"objections": window})
        return dict((await self.ask("POST", f"{exam.exam_path}/release-results")).body)

    async def clusters(self, exam: PublishedExam) -> list[Json]:
        """The objections in clusters."""
        path = f"/tests/{exam.test_id}/objections"
        return list((await self.ask("GET", path, params={"limit": "100"})).body["items"])

    async def decide(self, exam: PublishedExam, decision: Mapping[str, Any]) -> Json:
        """Decide a cluster."""
        path = f"/tests/{exam.test_id}/objections/decide"
        return dict((await self.ask("POST", path, json=dict(decision))).body)

    async def revision(self, exam: PublishedExam, number: int) -> Json:
        """A revision of the key, or its dry run."""
        return dict((await self.ask("GET", f"/tests/{exam.test_id}/key-revisions/{number}")).body)

    async def publish_revision(self, exam: PublishedExam, number: int) -> Json:
        """Publish a dry run, and wait until everybody is graded again."""
        await self.ask("POST", f"/tests/{exam.test_id}/key-revisions/{number}/publish", 202)
        while True:
            revision = await self.revision(exam, number)
            if revision["completed_at"] is not None:
                return revision
            await asyncio.sleep(_POLL_SECONDS)

    async def cancel(self, exam: PublishedExam) -> None:
        """Cancel the exam unless it is released, so that a failed dispute leaves no test under embargo."""
        body = {"reason": "The dispute could not go on."}
        await self.ask("POST", f"{exam.exam_path}/cancel", 200, 409, json=body)

    async def archive(self, exam: PublishedExam) -> None:
        """Take the test out of the candidates' lists."""
        await self.ask("POST", f"/tests/{exam.test_id}/archive")

    async def _imported(self, count: int) -> tuple[list[str], str]:
        """The ids of the questions in the order of the sheet, and the id of their subject."""
        found: Json = {}
        wanted: Json = {"tag": self.label, "limit": 100}
        while True:
            page = await self.ask("GET", "/questions", params=wanted)
            found |= {item["external_id"]: item for item in page.body["items"]}
            if page.body["next_cursor"] is None:
                break
            wanted["cursor"] = page.body["next_cursor"]
        if len(found) != count:
            raise UnexpectedResponse(f"import: {len(found)} of {count} questions")
        items = [found[f"{self.label}-{number}"] for number in range(1, count + 1)]
        return [item["id"] for item in items], items[0]["subject_id"]
