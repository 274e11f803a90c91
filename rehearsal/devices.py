"""A device that saves responses over a network that loses, doubles and reorders requests."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from enum import Enum
from random import Random
from typing import Any
from uuid import UUID

from rehearsal.client import ApiResponse, Client, Metrics, UnexpectedResponse
from rehearsal.plans import Edit
from rehearsal.response_log import RehearsedLog, ResponseEvent

_MAX_RESPONSES = 200
_REFUSALS = ("deadline_passed", "attempt_not_in_progress")
_LISTS = ("superseded", "conflicts", "closed")


class Network(Enum):
    """What happens to a request on its way to the server and back."""

    GOOD = "good"
    ANSWER_LOST = "the answer is lost"
    CANCELLED = "the connection is lost"
    DOUBLED = "the request arrives twice"
    REPEATED = "the request is sent again after its answer"


_WEIGHTS = {
    Network.GOOD: 70,
    Network.ANSWER_LOST: 8,
    Network.CANCELLED: 6,
    Network.DOUBLED: 8,
    Network.REPEATED: 8,
}


class StartRefused(UnexpectedResponse):
    """The server answered 409 to a start. `code` is that of the problem document."""

    def __init__(self, response: ApiResponse) -> None:
        super().__init__(f"start: 409 {response.content[:300].decode()}")
        self.code = response.code


class Device:
    """One lease of one attempt. `token` authenticates its requests to save and submit."""

    def __init__(self, client: Client, path: str, log: RehearsedLog, metrics: Metrics, rng: Random) -> None:
        self.client = client
        self.token = ""
        self.attempt_id = ""
        self.deadline_at = datetime.max.replace(tzinfo=UTC)
        self.seconds_left = 0.0
        self.attempt_token = ""
        self._path = path
        self._log = log
        self._metrics = metrics
        self._rng = rng
        self._lease = 0

    async def start(self, access_token: str, name: str) -> None:
        """Start or resume the attempt, and check that it shows every acknowledged response.

        Raises StartRefused.
        """
        before = self._log.standing()
        if self._rng.random() < 0.1:
            await self._start(access_token, name)  # The response is lost; the next one has another lease.
            self._metrics.counts["responses lost"] += 1
        body = (await self._start(access_token, name)).body
        self._lease, self.attempt_id = body["lease"], body["id"]
        self.attempt_token = body["attempt_token"]
        self.deadline_at = datetime.fromisoformat(body["deadline_at"])
        self.seconds_left = (self.deadline_at - datetime.fromisoformat(body["server_time"])).total_seconds()
        shown = {UUID(r["question_id"]): (r["lease"], r["revision"]) for r in body["responses"]}
        missing = [id_ for id_, event in before.items() if shown.get(id_, (0, 0)) < event.order]
        if missing:
            self._log.problems.append(
                f"{len(missing)} acknowledged answers are missing from a resumed attempt"
            )

    async def _start(self, access_token: str, name: str) -> ApiResponse:
        response = await self.client.call(
            "start", "POST", f"{self._path}/start", access_token, 200, 201, 409, json={"device": name}
        )
        if response.status == 409:
            raise StartRefused(response)
        return response

    async def send(self, edits: Sequence[Edit], question_ids: Sequence[UUID]) -> None:
        """Save edits; sometimes in several requests at once, in any order."""
        events = [self._event(edit, question_ids) for edit in edits]
        if self._rng.random() < 0.3:
            self._rng.shuffle(events)
        size = min(_MAX_RESPONSES, len(events) if self._rng.random() < 0.85 else 1 + len(events) // 3)
        batches = [events[first : first + size] for first in range(0, len(events), size)]
        await asyncio.gather(*(self._deliver(batch) for batch in batches))

    async def _deliver(self, events: Sequence[ResponseEvent]) -> None:
        """Send events until the server answers. If the client gives up, they are unconfirmed."""
        try:
            await self._send(events)
        except (UnexpectedResponse, asyncio.CancelledError):
            self._log.mark_unconfirmed(events)
            raise

    async def _send(self, events: Sequence[ResponseEvent]) -> None:
        """Send events once, and apply one kind of network trouble, which must not change the result."""
        network = self._rng.choices(list(_WEIGHTS), list(_WEIGHTS.values()))[0]
        maybe_processed = network in (Network.ANSWER_LOST, Network.CANCELLED)
        if network is Network.ANSWER_LOST:
            await self._post(events)
            self._metrics.counts["responses lost"] += 1
        if network is Network.CANCELLED:
            await self._cancelled_post(events)
        times = 2 if network is Network.DOUBLED else 1
        self._metrics.counts["duplicates"] += times - 1
        for response in await asyncio.gather(*(self._post(events) for _ in range(times))):
            self._record(events, response, maybe_processed=maybe_processed)
        if network is Network.REPEATED:
            await self._repeat(events)
        if self._rng.random() < 0.05:
            await self._contradict(events)

    async def _post(self, events: Sequence[ResponseEvent]) -> ApiResponse:
        body = {
            "attempt_id": self.attempt_id,
            "lease": self._lease,
            "responses": [_response_body(event) for event in events],
        }
        return await self.client.call(
            "save", "POST", f"{self._path}/responses", self.token, 200, 409, json=body
        )

    async def _cancelled_post(self, events: Sequence[ResponseEvent]) -> None:
        """Cancel the request after a short time: before it left, on its way, or after it was processed."""
        post = asyncio.create_task(self._post(events))
        await asyncio.wait([post], timeout=self._rng.uniform(0, 0.1))
        post.cancel()
        self._metrics.counts["requests cancelled"] += 1
        try:
            await post
        except asyncio.CancelledError:
            if (current := asyncio.current_task()) is not None and current.cancelling():
                raise

    def _record(
        self, events: Sequence[ResponseEvent], response: ApiResponse, *, maybe_processed: bool
    ) -> None:
        if response.status == 200:
            self._log.acknowledge(events)
            self._metrics.counts["answers acknowledged"] += len(events)
            self._check(events, response)
        elif response.code in _REFUSALS:
            self._record_refusal(
                events, response, maybe_processed=maybe_processed or response.maybe_processed
            )
        else:
            raise UnexpectedResponse(f"save: 409 {response.code}")

    def _record_refusal(
        self, events: Sequence[ResponseEvent], response: ApiResponse, *, maybe_processed: bool
    ) -> None:
        """The time is over or the attempt has ended. Events of an earlier try that was in time count."""
        known = response.body.get("known", 0)
        if known == len(events):
            self._log.acknowledge(events)
            return
        self._log.refuse(events, maybe_processed=maybe_processed or known > 0)
        self._metrics.counts["answers refused"] += len(events)
        if response.body.get("recorded"):
            self._log.keep_late(events)
            self._metrics.counts["answers kept late"] += len(events)
        elif response.code == "deadline_passed":
            self._log.problems.append("late answers were not kept")

    def _check(self, events: Sequence[ResponseEvent], response: ApiResponse) -> None:
        """Each event has one outcome. None is in conflict, and none is in a closed section."""
        body = response.body
        counted = body["saved"] + body["known"] + sum(len(body[name]) for name in _LISTS)
        if counted != len(events) or body["conflicts"] or body["closed"]:
            self._log.problems.append(f"{len(events)} saved answers were reported as {_counts(body)}")

    async def _repeat(self, events: Sequence[ResponseEvent]) -> None:
        """Send acknowledged events again: the server must report all of them as known."""
        self._metrics.counts["duplicates"] += 1
        response = await self._post(events)
        if response.status == 200 and response.body["known"] != len(events):
            self._log.problems.append(
                f"{len(events)} repeated answers were reported as {_counts(response.body)}"
            )

    async def _contradict(self, events: Sequence[ResponseEvent]) -> None:
        """Send another answer under a known revision: the server must report a conflict and not store it."""
        changed = [replace(event, answer=None) for event in events if event.answer is not None][:1]
        if not changed:
            return
        response = await self._post(changed)
        if response.status == 200:
            self._metrics.counts["conflicts reported"] += len(response.body["conflicts"])
            if len(response.body["conflicts"]) != 1:
                self._log.problems.append(f"a contradiction was reported as {_counts(response.body)}")

    def _event(self, edit: Edit, question_ids: Sequence[UUID]) -> ResponseEvent:
        return ResponseEvent(
            question_id=question_ids[edit.question],
            lease=self._lease,
            revision=edit.revision,
            answer=edit.answer,
            marked_for_review=edit.marked_for_review,
            time_spent_ms=edit.time_spent_ms,
            confidence=edit.confidence,
            language=edit.language,
        )


def _response_body(event: ResponseEvent) -> dict[str, Any]:
    return {
        "question_id": str(event.question_id),
        "revision": event.revision,
        "answer": list(event.answer) if isinstance(event.answer, tuple) else event.answer,
        "marked_for_review": event.marked_for_review,
        "time_spent_ms": event.time_spent_ms,
        "confidence": event.confidence,
        "language": event.language,
    }


def _counts(body: dict[str, Any]) -> str:
    return ", ".join(f"{name}: {body[name]}" for name in ("saved", "known", *_LISTS))
