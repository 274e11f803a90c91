"""A candidate of the disputed exam: takes the paper, objects, and reads the own result."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rehearsal.account import Account
from rehearsal.client import Client
from rehearsal.dispute.answers import Answer, Person
from rehearsal.dispute.receipts import Kept

_AT_ONCE = 34
_MILLISECONDS = 45_000

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class PublishedExam:
    """The ids of the exam, of its paper and test, and of its questions in order."""

    exam_id: str
    paper_id: str
    test_id: str
    question_ids: Sequence[str]

    @property
    def exam_path(self) -> str:
        return f"/exams/{self.exam_id}"

    @property
    def path(self) -> str:
        return f"{self.exam_path}/papers/{self.paper_id}"


@dataclass
class Candidate:
    """`kept` are the saves with their receipts, `results` the official results as they were read."""

    person: Person
    account: Account
    client: Client
    roll_number: str = ""
    attempt_id: str = ""
    kept: list[Kept] = field(default_factory=list)
    results: list[Json] = field(default_factory=list)

    async def take(self, exam: PublishedExam) -> None:
        """Make an account, register, answer in several saves, change some answers, and submit."""
        await self.account.register(self.client)
        profile = {"category": self.person.category, "pwbd": self.person.pwbd}
        await self._call("profile", "PUT", "/users/profile", json=profile)
        registered = await self._call("registration", "POST", f"{exam.exam_path}/register")
        self.roll_number = registered["roll_number"]
        started = await self._call("start", "POST", f"{exam.path}/start")
        self.attempt_id = started["id"]
        first, final = self.person.first, self.person.final
        everything = [_response(exam, number, answer, 1) for number, answer in enumerate(first)]
        for begin in range(0, len(everything), _AT_ONCE):
            await self._save(exam, started["lease"], everything[begin : begin + _AT_ONCE])
        changed = [
            _response(exam, number, answer, 2)
            for number, answer in enumerate(final)
            if answer != first[number]
        ]
        if changed:
            await self._save(exam, started["lease"], changed)
        await self._call("submit", "POST", f"{exam.path}/submit", json={"attempt_id": self.attempt_id})

    async def object_to(self, exam: PublishedExam, body: Mapping[str, Any]) -> None:
        """Object to the key of a question."""
        await self._call("objection", "POST", f"/tests/{exam.test_id}/objections", json=body)

    async def read_result(self, exam: PublishedExam) -> None:
        """Read the official result as it is now."""
        self.results.append(await self._call("results", "GET", f"{exam.exam_path}/results"))

    async def _save(self, exam: PublishedExam, lease: int, responses: Sequence[Json]) -> None:
        body = {"attempt_id": self.attempt_id, "lease": lease, "responses": responses}
        saved = await self._call("save", "POST", f"{exam.path}/responses", json=body)
        self.kept.append(Kept(self.attempt_id, lease, responses, saved["receipt"]))

    async def _call(self, kind: str, method: str, path: str, **request: Any) -> Json:
        answer = await self.client.call(kind, method, path, self.account.token, 200, 201, **request)
        return dict(answer.body)


def _response(exam: PublishedExam, index: int, answer: Answer, revision: int) -> Json:
    return {
        "question_id": exam.question_ids[index],
        "revision": revision,
        "answer": list(answer) if answer else None,
        "time_spent_ms": _MILLISECONDS * revision,
    }
