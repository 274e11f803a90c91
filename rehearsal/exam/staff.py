"""The exam's staff: its author composes and releases it, its proctor steers it and notes what was done."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from itertools import count
from typing import Any
from uuid import UUID

from app.models import Role
from rehearsal.author import Author
from rehearsal.client import Answer, Tally, Unexpected
from rehearsal.exam.deadlines import Grant, Order
from rehearsal.exam.server_time import ServerTime
from rehearsal.exam.timetable import Window
from rehearsal.staff import Staff

_PAGES = 5
Say = Callable[[str], None]


class ExamAuthor(Author):
    """Composes the exam out of published tests, and releases its results."""

    exam_id: UUID

    async def compose(
        self,
        test_ids: Sequence[UUID],
        windows: Sequence[Window],
        qualifying: Sequence[int | None],
        cutoffs: Mapping[str, str],
    ) -> list[UUID]:
        """The ids of its papers, in order; the exam is published."""
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
        """Raises Unexpected unless it is refused because somebody sits."""
        answer = await self.ask("POST", f"/exams/{self.exam_id}/release-results", 200, 409)
        if answer.status != 409 or answer.code != "attempts_in_progress":
            raise Unexpected(f"releasing while somebody sits: {answer.status} {answer.code}")

    async def cancel(self) -> None:
        """Call it off, so that what failed holds no test back."""
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
    """What was done is in `orders` and `grants`: deadlines are computed from these."""

    role = Role.PROCTOR

    def __init__(self, api_url: str, label: str, tally: Tally, time: ServerTime, say: Say) -> None:
        super().__init__(api_url, label, tally)
        self.orders: list[Order] = []
        self.grants: list[Grant] = []
        self.exam_path = ""
        self._time = time
        self._say = say
        self._numbers = count(1)

    async def announce(self, text: str) -> None:
        """Say something to everybody, once: after a lost answer it is looked up first."""
        path, body = f"{self.exam_path}/announcements", {"text": {"en": text, "hi": text}}
        while True:
            answer = await self._try_once(path, body)
            if answer is not None or text in [each["text"]["en"] for each in await self.announcements()]:
                self._say(f"announcement: {text}")
                return

    async def announcements(self) -> list[dict[str, Any]]:
        """All that was announced."""
        answer = await self.ask("GET", f"{self.exam_path}/announcements", params={"limit": 100})
        return list(answer.body["items"])

    async def postpone(self, seconds: int) -> None:
        """Move what has not begun."""
        body = {"seconds": seconds, "reason": "The hall is not ready."}
        await self.ask("POST", f"{self.exam_path}/postpone", json=body)
        self._say(f"postponed by {seconds} s")

    async def grant(
        self, seconds: int, *, people: Sequence[tuple[int, str]] = (), group: str | None = None
    ) -> None:
        """Grant extra time to people, by number and account, or to a group. Again is harmless."""
        targets: list[dict[str, Any]] = [{"user_id": user_id} for _, user_id in people]
        targets += [{"group": group}] if group else []
        if not targets:
            return
        items = [target | {"extra_seconds": seconds, "reason": "scribe"} for target in targets]
        asked_at = self._time.now()
        await self.ask("PUT", f"{self.exam_path}/accommodations", json={"items": items})
        done_at = self._time.now()
        numbers: list[int | None] = [number for number, _ in people] or [None]
        self.grants += [Grant(number, group, seconds, asked_at, done_at) for number in numbers]
        self._say(f"extra time: {seconds} s for {group or f'{len(people)} candidates'}")

    async def steer(self, verb: str, attempt_ids: Sequence[str], seconds: int | None = None) -> None:
        """Do it to attempts, one or many."""
        if len(attempt_ids) == 1:
            await self._steer(verb, f"{attempt_ids[0]}/{verb}", {}, seconds)
        elif attempt_ids:
            await self._steer(verb, verb, {"attempt_ids": list(attempt_ids)}, seconds)

    async def steer_all(self, verb: str, paper_id: UUID, seconds: int | None = None) -> None:
        """Do it to everybody in a paper."""
        await self._steer(verb, verb, {"attempt_ids": "all", "paper_id": str(paper_id)}, seconds)

    async def _steer(self, verb: str, path: str, body: dict[str, Any], seconds: int | None) -> None:
        reason = f"{verb} {next(self._numbers)} of rehearsal {self.label}"
        body = body | {"reason": reason} | ({"seconds": seconds} if seconds else {})
        asked_at = self._time.now()
        changed = await self._until_done(f"{self.exam_path}/attempts/{path}", body, reason)
        done_at = self._time.now()
        self.orders += [Order(verb, id_, seconds or 0, asked_at, done_at) for id_ in changed]
        self._say(f"{verb}: {len(changed)} attempts" + (f", {seconds} s" if seconds else ""))

    async def _until_done(self, path: str, body: dict[str, Any], reason: str) -> list[str]:
        """Whose attempts changed. An extension is not repeated before the audit was read: it would add up."""
        while True:
            answer = await self._try_once(path, body)
            if answer is not None:
                return _changed(answer)
            if known := await self._audited(reason):
                return known

    async def _try_once(self, path: str, body: dict[str, Any]) -> Answer | None:
        """The answer of a request that was obeyed; None where nobody knows."""
        answer = await self.client.try_once(self.role, "POST", path, self.token, json=body)
        if answer is None or answer.status == 429:
            await asyncio.sleep(0.5)
            return None
        if answer.status not in (200, 201):
            raise Unexpected(f"{path}: {answer.status} {answer.content[:300].decode()}")
        return answer

    async def _audited(self, reason: str) -> list[str]:
        """The attempts that the audit names for a reason; reasons are unique."""
        found, query = [], {"limit": "100"}
        for _ in range(_PAGES):
            page = (await self.ask("GET", f"{self.exam_path}/audit", params=query)).body
            found += [entry["attempt_id"] for entry in page["items"] if entry["reason"] == reason]
            if page["next_cursor"] is None:
                break
            query["cursor"] = page["next_cursor"]
        return [id_ for id_ in found if id_]


def _changed(answer: Answer) -> list[str]:
    """Of a bulk order those that changed; a single one is the attempt itself."""
    if "attempts" in answer.body:
        return [attempt["id"] for attempt in answer.body["attempts"]]
    return [answer.body["id"]]
