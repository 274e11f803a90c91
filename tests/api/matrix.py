"""Tries operations as identities, and says where an answer is not what the table promises."""

from collections.abc import Collection, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import httpx
from fastapi import FastAPI

from tests.api.access_table import AUTHORS, CANDIDATES, OPERATIONS, Level, Operation, Reach, Rule
from tests.builders.auth_accounts import TOKEN_LIFETIME
from tests.builders.people import AppClient
from tests.builders.world import OWNER_NAME, Identity, Objects, World
from tests.conftest import TestClock
from tests.thorough import part

Json = dict[str, Any]
EXPIRED_AFTER = TOKEN_LIFETIME + 3600.0
"""Seconds after which no access token is valid."""

ROLES = (
    Identity.ANONYMOUS,
    Identity.EXPIRED,
    Identity.BANNED,
    Identity.CANDIDATE,
    Identity.FOREIGN_AUTHOR,
    Identity.EVALUATOR,
    Identity.PROCTOR,
    Identity.AUTHOR,
    Identity.ADMIN,
    Identity.OTHER_ATTEMPT,
)
NOT_SIGNED_IN = frozenset(
    {
        Identity.ANONYMOUS,
        Identity.EXPIRED,
        Identity.BANNED,
        Identity.ATTEMPT,
        Identity.PAPER_ATTEMPT,
        Identity.OTHER_ATTEMPT,
        Identity.BANNED_ATTEMPT,
        Identity.BANNED_PAPER_ATTEMPT,
    }
)
NO_SUCH_FIELD = {"no_such_field": 1}
"""A body that no route accepts: whoever may call the route gets a 422, and nothing is changed."""
REFUSED = frozenset({401, 403, 404})
MAY_BE_503 = frozenset({"/v1/health/db", "/v1/health/ready"})
"""They say so, as documented, if the database of a busy machine takes more than 1.5 seconds to answer."""


def _harm(operation: Operation) -> int:
    """The operations that end an object come last."""
    method, template = operation
    if template.startswith("/v1/users/{user_id}/"):
        return 3  # Some of these end the sessions of the owner, who deletes objects before.
    endings = ("/role", "/cancel", "/archive", "/retire", "/void")
    return 2 if method == "DELETE" else 1 if template.endswith(endings) else 0


WITH_OBJECTS = sorted((operation for operation in OPERATIONS if "{" in operation[1]), key=_harm)
"""The operations whose paths name objects, in an order in which each still finds them."""
RIGHTFUL = (Identity.OWNER, Identity.AUTHOR, Identity.ADMIN)
"""Each operation lets in one of these, and `body_for` has a body that it accepts."""


MADE_LATER = {
    ("GET", "/v1/exams/{exam_id}/certificate"),
    ("GET", "/v1/exams/{exam_id}/result-sheets/{file_id}"),
    ("GET", "/v1/exams/{exam_id}/result-sheets/{file_id}/file"),
    ("GET", "/v1/result-sheets/{document_id}"),
    ("POST", "/v1/tests/{test_id}/objections"),
}
"""Their objects exist after a release, and objections are made after the end of an attempt: see
`tests/api/exams/test_result_documents.py` and `tests/api/test_objections_of_tests.py`."""


def reaches(operation: Operation, statuses: Collection[int]) -> bool:
    """Whether one of these statuses shows that the objects of the path were found."""
    if operation in MADE_LATER:
        return True
    # The user of the path is a candidate: whoever reaches the test is told that they are no author.
    refused = REFUSED if operation == ("PUT", "/v1/tests/{test_id}/consents/{user_id}") else {*REFUSED, 422}
    return bool(set(statuses) - refused)


@dataclass(frozen=True)
class Matrix:
    """The application, and everybody who may call it."""

    app: FastAPI
    world: World
    clock: TestClock

    @cached_property
    def client(self) -> httpx.AsyncClient:
        """A client that carries nobody's token."""
        return AppClient(self.app, base_url="http://api.test", address="203.0.113.9")

    async def send(
        self, identity: Identity, operation: Operation, path: str, **request: Any
    ) -> httpx.Response:
        """One request as somebody; an expired token is a good one, hours later."""
        token = self.world.headers[identity]
        headers = {**request.pop("headers", {}), **({"Authorization": token} if token else {})}
        later = self.clock.moved(EXPIRED_AFTER) if identity is Identity.EXPIRED else nullcontext()
        with later:
            return await self.client.request(operation[0], path, headers=headers, **request)

    async def faults_of_roles(
        self, operation: Operation, rule: Rule, one_of: int = 1, roles: Sequence[Identity] = ROLES
    ) -> list[str]:
        """Who may use the route is let in, all others are refused: with no body, a wrong one, a right one.

        Each role that is refused sends every `one_of`-th of these bodies.
        """
        found = []
        for identity in roles:
            path, body = self.world.path(operation[1]), body_for(operation, self.world.mine)
            requests: Sequence[Json]
            if identity in rule.level.value:
                requests = [{"json": NO_SUCH_FIELD}] if changes(operation) else [{}]
            else:
                bodies: list[Json] = [{}, {"json": NO_SUCH_FIELD}, *([body] if body else [])]
                requests = part(bodies, f"{operation} {identity}", one_of)
            for request in requests:
                answer = await self.send(identity, operation, path, **request)
                if complaint := _complaint_about_role(identity, rule, answer):
                    found.append(f"{' '.join(operation)} as {identity} with {list(request)}: {complaint}")
        return found

    async def faults_of_objects(self, operation: Operation, rule: Rule, one_of: int = 1) -> list[str]:
        """Whoever may use the route and does not reach its object is refused with a request that is right.

        Every `one_of`-th of them sends it, and at least one.
        """
        found = []
        path, body = self.world.path(operation[1]), body_for(operation, self.world.mine)
        refused = [] if rule.level is Level.PUBLIC else sorted(rule.level.value - rule.reach.value)
        for identity in part(refused, f"{operation}", max(1, min(one_of, len(refused)))):
            answer = await self.send(identity, operation, path, **body)
            if answer.status_code != rule.refused:
                said = f"{answer.status_code} instead of {rule.refused}"
                found.append(f"{' '.join(operation)} as {identity}: {said}")
            elif OWNER_NAME in answer.text:
                found.append(f"{' '.join(operation)} as {identity}: shows whose it is")
        return found

    async def faults_of_shown_names(self, operation: Operation, one_of: int = 1) -> list[str]:
        """No candidate is shown the name of another, not even where they may call the route.

        Every `one_of`-th of them calls it.
        """
        found = []
        for identity in part(sorted(CANDIDATES - {Identity.OWNER}), f"{operation}", one_of):
            answer = await self.send(identity, operation, self.world.path(operation[1]))
            if OWNER_NAME in answer.text:
                found.append(f"{' '.join(operation)} as {identity}: shows another candidate's name")
        return found

    async def faults_of_mixed_paths(self, operation: Operation, rule: Rule) -> list[str]:
        """An object below another's parent is not found, whoever asks."""
        found = []
        for child in _children(operation[1]):
            path = self._mixed_path(operation[1], child, rule)
            body = body_for(operation, self.world.theirs)
            for identity in sorted(rule.level.value & (AUTHORS | {Identity.OWNER, Identity.PAPER_ATTEMPT})):
                answer = await self.send(identity, operation, path, **body)
                if answer.status_code not in REFUSED:
                    said = f"{answer.status_code} for {child} of another parent"
                    found.append(f"{' '.join(operation)} as {identity}: {said}")
        return found

    def _mixed_path(self, template: str, child: str, rule: Rule) -> str:
        """My parent with their child; papers are taken out of drafts, where they can still change."""
        mine, theirs = self.world.mine, self.world.theirs
        if child == "paper_id" and rule.reach is Reach.TEAM:
            return mine.path(template, exam_id=mine.draft_exam_id, paper_id=theirs.draft_paper_id)
        return mine.path(template, **{child: theirs.ids[child]})


def changes(operation: Operation) -> bool:
    """Whether a request that is accepted changes something."""
    return operation[0] != "GET"


def _children(template: str) -> Iterator[str]:
    """Parameters that stand below another object's."""
    for name in ("paper_id", "attempt_id", "chapter_id", "roll_number", "objection_id", "cluster_id"):
        if f"/{{{name}}}" in template and template.index(f"{{{name}}}") > template.index("{"):
            yield name


def _complaint_about_role(identity: Identity, rule: Rule, answer: httpx.Response) -> str | None:
    status = answer.status_code
    if identity not in rule.level.value:
        expected = 401 if identity in NOT_SIGNED_IN else 403
        return None if status == expected else f"{status} instead of {expected}"
    if status == 503 and answer.url.path in MAY_BE_503:
        return None
    if status >= 500:
        return f"{status}"
    refusals = {401} if rule.reach is not Reach.INSTITUTE else {401, 403, 404}
    if rule.level is Level.PUBLIC:
        refusals = {401, 403} - ({401} if "auth" in str(answer.url) else set())
    return f"{status}, though they may" if status in refusals else None


def body_for(operation: Operation, objects: Objects) -> Json:
    """A request that is right: what would be done, were it allowed."""
    method, template = operation
    if template.endswith("/accommodations") and method == "DELETE":
        return {"json": {"items": [{"group": "all", "reason": "A mistake."}]}}
    if operation == ("GET", "/v1/result-sheets/{document_id}"):
        return {"params": {"version": "1", "digest": "AAAAA"}}
    if method in ("GET", "DELETE"):
        return {}
    if template.endswith(("/import", "/media")):
        return {"files": {"file": ("sheet.csv", b"roll_number,1\n1,a\n", "text/csv")}}
    attempt = objects.paper_attempt if template.startswith("/v1/exams/") else objects.attempt
    at = {"attempt_id": attempt["id"]}
    response = {"question_id": attempt["question_order"][0], "revision": 1, "answer": ["a"]}
    reason = {"reason": "A power cut."}
    bodies: dict[Operation, Json] = {
        ("PUT", "/v1/devices/{token}"): {"platform": "ios"},
        ("PATCH", "/v1/exams/{exam_id}"): {"title": "Changed"},
        ("PUT", "/v1/exams/{exam_id}/accommodations"): {
            "items": [{"user_id": objects.ids["user_id"], "extra_seconds": 60, **reason}]
        },
        ("POST", "/v1/exams/{exam_id}/announcements"): {"text": "Attention."},
        ("POST", "/v1/exams/{exam_id}/attempts/{verb}"): {"attempt_ids": [objects.ids["attempt_id"]]},
        ("POST", "/v1/exams/{exam_id}/cancel"): reason,
        ("POST", "/v1/exams/{exam_id}/postpone"): {"seconds": 60, **reason},
        ("POST", "/v1/exams/{exam_id}/papers"): _paper(objects),
        ("PATCH", "/v1/exams/{exam_id}/papers/{paper_id}"): {"title": "Changed"},
        ("POST", "/v1/exams/{exam_id}/papers/{paper_id}/responses"): {
            **at,
            "lease": attempt["lease"],
            "responses": [response],
        },
        ("POST", "/v1/exams/{exam_id}/papers/{paper_id}/submit"): at,
        ("POST", "/v1/exams/{exam_id}/result-sheets"): {"kind": "result_sheets"},
        ("POST", "/v1/exams/{exam_id}/registrations/{roll_number}/claim"): {
            "user_id": objects.ids["user_id"]
        },
        ("PATCH", "/v1/exams/{exam_id}/registrations/{roll_number}"): {"category": "obc", **reason},
        ("PATCH", "/v1/institute"): {"name": "Default institute"},
        ("PATCH", "/v1/passages/{passage_id}"): {"text": "Changed."},
        ("PATCH", "/v1/questions/{question_id}"): {"tags": ["changed"]},
        ("PATCH", "/v1/subjects/{subject_id}"): {"position": 7},
        ("POST", "/v1/subjects/{subject_id}/chapters"): {"slug": "another", "name": "Another"},
        ("PATCH", "/v1/subjects/{subject_id}/chapters/{chapter_id}"): {"position": 7},
        ("PATCH", "/v1/tests/{test_id}"): {"title": "Changed"},
        ("POST", "/v1/tests/{test_id}/key-revisions"): {
            "changes": [{"question_id": objects.ids["question_id"], "key": ["c"]}],
            **reason,
        },
        ("POST", "/v1/tests/{test_id}/objections"): {
            "question_id": objects.ids["question_id"],
            "claimed_key": ["c"],
            "explanation": "A power cut.",
        },
        ("POST", "/v1/tests/{test_id}/objections/decide"): {
            "question_id": objects.ids["question_id"],
            "accept": False,
            **reason,
        },
        ("POST", "/v1/tests/{test_id}/responses"): {
            **at,
            "lease": attempt["lease"],
            "responses": [response],
        },
        ("POST", "/v1/tests/{test_id}/submit"): at,
        ("PUT", "/v1/users/{user_id}/role"): {"role": "admin"},
        ("PUT", "/v1/users/{user_id}/enrolment"): {"enrolled": True, "batches": ["2027-A"]},
        ("PUT", "/v1/users/{user_id}/status"): {"active": False},
    }
    verbs = {"extend": {"seconds": 60, **reason}, "reopen": reason, "void": reason, "admit-late": reason}
    if template.startswith("/v1/exams/{exam_id}/attempts/{attempt_id}/"):
        return {"json": verbs.get(template.rpartition("/")[2], {})}
    return {"json": bodies.get(operation, {})}


def _paper(objects: Objects) -> Json:
    times = {"starts_at": "2030-01-01T04:00:00Z", "entry_closes_at": "2030-01-01T04:30:00Z"}
    test = {"test_id": objects.ids["test_id"], "code": "GS2", "title": "Another"}
    return {**test, **times, "ends_at": "2030-01-01T06:00:00Z"}
