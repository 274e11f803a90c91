"""The exam's staff: the author composes and releases it, the proctor acts on attempts and records it."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from itertools import count
from typing import Any
from uuid import UUID, uuid4

from rehearsal.author import Author
from rehearsal.client import ApiResponse, Metrics, UnexpectedResponse
from rehearsal.exam.deadlines import Grant, StaffAction
from rehearsal.exam.server_clock import ServerClock
from rehearsal.exam.timetable import Window
from rehearsal.staff import Role, Staff

_AUDIT_PAGES = 60
"""Of 100 entries each: enough for an action on the 5,000 candidates that a rehearsal may have."""
Report = Callable[[str], None]
"""Called with a sentence for the list of events."""


class ExamAuthor(Author):
    """Composes the exam of published tests, and releases its results."""

    exam_id: UUID

    async def compose(
        self,
        test_ids: Sequence[UUID],
        windows: Sequence[Window],
        qualifying: Sequence[int | None],
        cutoffs: Mapping[str, str],
    ) -> list[UUID]:
        """Publish the exam. Returns the ids of its papers, in order."""
        body = {
            "title": {"en": f"Rehearsal {self.label}", "hi": f"अभ्यास {self.label}"},
            "opens_at": windows[0].starts_at.isoformat(),
            "closes_at": windows[-1].ends_at.isoformat(),
            "cutoffs": dict(cutoffs),
        }
        self.exam_id = UUID((await self.ask("POST", "/exams", json=body)).body["id"])
        papers = []
        for test_id, window, percent in zip(test_ids, windows, qualifying, strict=True):
            answer = await self.ask(
                "POST", f"/exams/{self.exam_id}/papers", json=_paper_body(test_id, window, percent)
            )
            papers.append(UUID(answer.body["id"]))
        await self.ask("POST", f"/exams/{self.exam_id}/publish")
        return papers

    async def release(self) -> dict[str, Any]:
        """Release the results."""
        return dict((await self.ask("POST", f"/exams/{self.exam_id}/release-results")).body)

    async def release_too_early(self) -> None:
        """Raises UnexpectedResponse unless the server refuses it while attempts run, also early."""
        path = f"/exams/{self.exam_id}/release-results"
        early = {"early": True, "reason": "To see whether the server refuses it."}
        for body, code in (({}, "papers_not_over"), (early, "attempts_in_progress")):
            answer = await self.ask("POST", path, 200, 409, json=body)
            if answer.status != 409 or answer.code != code:
                raise UnexpectedResponse(f"releasing while a paper is open: {answer.status} {answer.code}")

    async def cancel(self) -> None:
        """Cancel the exam, so that a failed rehearsal does not keep its tests under embargo."""
        body = {"reason": "The rehearsal could not go on."}
        await self.ask("POST", f"/exams/{self.exam_id}/cancel", 200, 409, json=body)


def _paper_body(test_id: UUID, window: Window, percent: int | None) -> dict[str, Any]:
    return {
        "code": window.code,
        "title": f"Paper {window.code}",
        "test_id": str(test_id),
        "starts_at": window.starts_at.isoformat(),
        "entry_closes_at": window.entry_closes_at.isoformat(),
        "ends_at": window.ends_at.isoformat(),
        "qualifying_percent": str(percent) if percent is not None else None,
    }


class Proctor(Staff):
    """Records its actions and grants, from which the reference computes deadlines."""

    role: Role = "proctor"

    def __init__(
        self, api_url: str, label: str, metrics: Metrics, clock: ServerClock, report: Report
    ) -> None:
        super().__init__(api_url, label, metrics)
        self.actions: list[StaffAction] = []
        self.grants: list[Grant] = []
        self.exam_path = ""
        self._clock = clock
        self.report = report
        self._numbers = count(1)

    async def announce(self, text: str, *, times: int = 1) -> None:
        """Announce a text to everybody. Sending it `times` at once must make one announcement."""
        path, headers = f"{self.exam_path}/announcements", {"Idempotency-Key": str(uuid4())}
        body = {"text": {"en": text, "hi": text}}
        await asyncio.gather(
            *(self.ask("POST", path, 200, 201, json=body, headers=headers) for _ in range(times))
        )
        made = [each for each in await self.announcements() if each["text"]["en"] == text]
        if len(made) != 1:
            raise UnexpectedResponse(f"{len(made)} announcements were made of {times} equal requests")
        self.report(f"announcement: {text}")

    async def announcements(self) -> list[dict[str, Any]]:
        """All announcements of the exam."""
        answer = await self.ask("GET", f"{self.exam_path}/announcements", params={"limit": 100})
        return list(answer.body["items"])

    async def postpone(self, seconds: int) -> None:
        """Postpone the papers that have not begun."""
        body = {"seconds": seconds, "reason": "The candidates are not ready."}
        await self.ask("POST", f"{self.exam_path}/postpone", json=body)
        self.report(f"postponed by {seconds} s")

    async def grant(
        self, seconds: int, *, people: Sequence[tuple[int, str]] = (), group: str | None = None
    ) -> None:
        """Grant extra time to candidates, by number and account, or to a group. Repeating it is harmless."""
        targets: list[dict[str, Any]] = [{"user_id": user_id} for _, user_id in people]
        targets += [{"group": group}] if group else []
        if not targets:
            return
        items = [target | {"extra_seconds": seconds, "reason": "scribe"} for target in targets]
        asked_at = self._clock.earliest()
        await self.ask("PUT", f"{self.exam_path}/accommodations", json={"items": items})
        done_at = self._clock.latest()
        numbers: list[int | None] = [number for number, _ in people] or [None]
        self.grants += [Grant(number, group, seconds, asked_at, done_at) for number in numbers]
        self.report(f"extra time: {seconds} s for {group or f'{len(people)} candidates'}")

    async def apply(
        self, verb: str, attempt_ids: Sequence[str], seconds: int | None = None, *, times: int = 1
    ) -> Sequence[str]:
        """Apply an action to one or several attempts. Returns the ids of those that changed.

        With `times`, so many equal requests are sent at once, as by a double click. Each attempt must be
        changed once.
        """
        if len(attempt_ids) == 1:
            return await self._apply(verb, f"{attempt_ids[0]}/{verb}", {}, seconds, times)
        if attempt_ids:
            return await self._apply(verb, verb, {"attempt_ids": list(attempt_ids)}, seconds, times)
        return []

    async def apply_to_all(self, verb: str, paper_id: UUID, seconds: int | None = None) -> Sequence[str]:
        """Apply an action to all attempts at a paper. Returns the ids of those that changed."""
        return await self._apply(verb, verb, {"attempt_ids": "all", "paper_id": str(paper_id)}, seconds)

    async def _apply(
        self, verb: str, path: str, body: dict[str, Any], seconds: int | None, times: int = 1
    ) -> list[str]:
        reason = f"{verb} {next(self._numbers)} of rehearsal {self.label}"
        body = body | {"reason": reason} | ({"seconds": seconds} if seconds else {})
        path = f"{self.exam_path}/attempts/{path}"
        asked_at = self._clock.earliest()
        answers = await asyncio.gather(*(self._until_done(path, body, reason) for _ in range(times)))
        done_at = self._clock.latest()
        changed = list(dict.fromkeys(id_ for answer in answers for id_ in answer))
        if times > 1 and len(audited := await self._audited(reason)) != len(changed):
            raise UnexpectedResponse(f"{verb}: {len(audited)} changes of {len(changed)} attempts")
        self.actions += [StaffAction(verb, id_, seconds or 0, asked_at, done_at) for id_ in changed]
        self.report(f"{verb}: {len(changed)} attempts" + (f", {seconds} s" if seconds else ""))
        return changed

    async def _until_done(self, path: str, body: dict[str, Any], reason: str) -> list[str]:
        """Send an action until it is done. Returns the ids of the attempts that changed.

        After a lost response the audit log is read before the request is repeated, because extensions add up.
        It is also read for the attempts that an answer counts and does not list.
        """
        is_repeated = False
        while True:
            answer = await self._try_once(path, body, 409)
            if answer is not None and "attempts" in answer.body and not is_repeated:
                listed = [attempt["id"] for attempt in answer.body["attempts"]]
                if len(listed) == answer.body["changed"]:  # The answer lists 1,000 at most.
                    return listed
            if (changed := await self._audited(reason)) or answer is not None:
                return changed
            is_repeated = True

    async def _try_once(self, path: str, body: dict[str, Any], *also: int) -> ApiResponse | None:
        """Send a request once. Returns None if it is unknown whether it was processed.

        Raises UnexpectedResponse unless the status is 200, 201 or one of `also`.
        """
        answer = await self.client.try_once(self.role, "POST", path, self.token, json=body)
        if answer is None or answer.status == 429:
            await asyncio.sleep(0.5)
            return None
        if answer.status not in (200, 201, *also):
            raise UnexpectedResponse(f"{path}: {answer.status} {answer.content[:300].decode()}")
        return answer

    async def _audited(self, reason: str) -> list[str]:
        """The attempts that changed for a reason, by the audit log. Every reason is unique."""
        found, query = [], {"limit": "100"}
        for _ in range(_AUDIT_PAGES):
            page = (await self.ask("GET", f"{self.exam_path}/audit", params=query)).body
            found += [entry["attempt_id"] for entry in page["items"] if entry["reason"] == reason]
            if page["next_cursor"] is None:
                break
            query["cursor"] = page["next_cursor"]
        return [id_ for id_ in found if id_]
