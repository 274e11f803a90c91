"""A device: it holds a lease, and sends its answers over a network that loses, doubles and reorders."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from enum import Enum
from random import Random
from typing import Any
from uuid import UUID

from app.engine.responses import Event
from rehearsal.client import Answer, Client, Tally, Unexpected
from rehearsal.log import Log
from rehearsal.plans import Touch

_MOST_AT_ONCE = 200
_REFUSALS = ("deadline_passed", "attempt_not_in_progress")


class Network(Enum):
    """What happens to a request on its way."""

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


class Device:
    """One lease of one attempt. `token` is what it saves and submits with."""

    def __init__(self, client: Client, path: str, log: Log, tally: Tally, rng: Random) -> None:
        self.client = client
        self.token = ""
        self.attempt_id = ""
        self.seconds_left = 0.0
        self.attempt_token = ""
        self._path = path
        self._log = log
        self._tally = tally
        self._rng = rng
        self._lease = 0

    async def start(self, access_token: str, name: str) -> None:
        """Start the attempt or take it over, and see that everything acknowledged is there."""
        before = self._log.standing()
        if self._rng.random() < 0.1:
            await self._start(access_token, name)  # Its answer is lost; the next one has a lease of its own.
            self._tally.counts["answers lost"] += 1
        answer = await self._start(access_token, name)
        self._lease, self.attempt_id = answer.body["lease"], answer.body["id"]
        self.attempt_token = answer.body["attempt_token"]
        self.seconds_left = _seconds(answer.body["server_time"], answer.body["deadline_at"])
        shown = {UUID(r["question_id"]): (r["lease"], r["revision"]) for r in answer.body["responses"]}
        missing = [id_ for id_, event in before.items() if shown.get(id_, (0, 0)) < event.order]
        if missing:
            self._log.problems.append(
                f"{len(missing)} acknowledged answers are missing from a resumed attempt"
            )

    async def _start(self, access_token: str, name: str) -> Answer:
        return await self.client.call(
            "start", "POST", f"{self._path}/start", access_token, 200, 201, json={"device": name}
        )

    async def send(self, touches: Sequence[Touch], question_ids: Sequence[UUID]) -> None:
        """Send what was done; now and then in several requests at once, in any order."""
        events = [self._event(touch, question_ids) for touch in touches]
        if self._rng.random() < 0.3:
            self._rng.shuffle(events)
        size = min(_MOST_AT_ONCE, len(events) if self._rng.random() < 0.85 else 1 + len(events) // 3)
        batches = [events[first : first + size] for first in range(0, len(events), size)]
        await asyncio.gather(*(self._deliver(batch) for batch in batches))

    async def _deliver(self, events: Sequence[Event]) -> None:
        """Send until there is an answer. Who gives up before cannot say what was saved."""
        try:
            await self._send(events)
        except (Unexpected, asyncio.CancelledError):
            self._log.lose(events)
            raise

    async def _send(self, events: Sequence[Event]) -> None:
        """What the network does besides must change nothing."""
        network = self._rng.choices(list(_WEIGHTS), list(_WEIGHTS.values()))[0]
        unsure = network in (Network.ANSWER_LOST, Network.CANCELLED)
        if network is Network.ANSWER_LOST:
            await self._post(events)
            self._tally.counts["answers lost"] += 1
        if network is Network.CANCELLED:
            await self._cancelled_post(events)
        times = 2 if network is Network.DOUBLED else 1
        self._tally.counts["duplicates"] += times - 1
        for answer in await asyncio.gather(*(self._post(events) for _ in range(times))):
            self._note(events, answer, unsure=unsure)
        if network is Network.REPEATED:
            await self._repeat(events)
        if self._rng.random() < 0.05:
            await self._contradict(events)

    async def _post(self, events: Sequence[Event]) -> Answer:
        body = {
            "attempt_id": self.attempt_id,
            "lease": self._lease,
            "responses": [_response(event) for event in events],
        }
        return await self.client.call(
            "save", "POST", f"{self._path}/responses", self.token, 200, 409, json=body
        )

    async def _cancelled_post(self, events: Sequence[Event]) -> None:
        """The candidate's phone loses the network: before the request left, under way, or after."""
        post = asyncio.create_task(self._post(events))
        await asyncio.wait([post], timeout=self._rng.uniform(0, 0.1))
        post.cancel()
        self._tally.counts["requests cancelled"] += 1
        try:
            await post
        except asyncio.CancelledError:
            if (current := asyncio.current_task()) is not None and current.cancelling():
                raise

    def _note(self, events: Sequence[Event], answer: Answer, *, unsure: bool) -> None:
        if answer.status == 200:
            self._log.acknowledge(events)
            self._tally.counts["answers acknowledged"] += len(events)
            self._check(events, answer)
        elif answer.code in _REFUSALS:
            self._note_refusal(events, answer, unsure=unsure or answer.unsure)
        else:
            raise Unexpected(f"save: 409 {answer.code}")

    def _note_refusal(self, events: Sequence[Event], answer: Answer, *, unsure: bool) -> None:
        """Too late, or ended: kept as late or not, and what had come in time before counts all the same."""
        known = answer.body.get("known", 0)
        if known == len(events):
            self._log.acknowledge(events)
            return
        self._log.refuse(events, unsure=unsure or known > 0)
        self._tally.counts["answers refused"] += len(events)
        if answer.body.get("recorded"):
            self._log.keep_late(events)
            self._tally.counts["answers kept late"] += len(events)
        elif answer.code == "deadline_passed":
            self._log.problems.append("late answers were not kept")

    def _check(self, events: Sequence[Event], answer: Answer) -> None:
        """Each response counts in exactly one of the four, and an honest device is in no conflict."""
        body = answer.body
        counted = body["saved"] + body["known"] + len(body["superseded"]) + len(body["conflicts"])
        if counted != len(events) or body["conflicts"]:
            self._log.problems.append(f"{len(events)} saved answers were reported as {_counts(body)}")

    async def _repeat(self, events: Sequence[Event]) -> None:
        """Send what has been acknowledged once more: all of it must be known."""
        self._tally.counts["duplicates"] += 1
        answer = await self._post(events)
        if answer.status == 200 and answer.body["known"] != len(events):
            self._log.problems.append(
                f"{len(events)} repeated answers were reported as {_counts(answer.body)}"
            )

    async def _contradict(self, events: Sequence[Event]) -> None:
        """A device gone wrong sends another answer under a known revision: reported, and never stored."""
        false = [replace(event, answer=None) for event in events if event.answer is not None][:1]
        if not false:
            return
        answer = await self._post(false)
        if answer.status == 200:
            self._tally.counts["conflicts reported"] += len(answer.body["conflicts"])
            if len(answer.body["conflicts"]) != 1:
                self._log.problems.append(f"a contradiction was reported as {_counts(answer.body)}")

    def _event(self, touch: Touch, question_ids: Sequence[UUID]) -> Event:
        return Event(
            question_id=question_ids[touch.question],
            lease=self._lease,
            revision=touch.revision,
            answer=touch.answer,
            marked_for_review=touch.marked_for_review,
            time_spent_ms=touch.time_spent_ms,
            confidence=touch.confidence,
            language=touch.language,
        )


def _response(event: Event) -> dict[str, Any]:
    return {
        "question_id": str(event.question_id),
        "revision": event.revision,
        "answer": list(event.answer) if isinstance(event.answer, tuple) else event.answer,
        "marked_for_review": event.marked_for_review,
        "time_spent_ms": event.time_spent_ms,
        "confidence": event.confidence,
        "language": event.language,
    }


def _seconds(earlier: str, later: str) -> float:
    return (datetime.fromisoformat(later) - datetime.fromisoformat(earlier)).total_seconds()


def _counts(body: dict[str, Any]) -> str:
    return ", ".join(f"{name}: {body[name]}" for name in ("saved", "known", "superseded", "conflicts"))
