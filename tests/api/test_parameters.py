"""Query parameters and form fields: unknown and repeated ones are refused, on every operation."""

from typing import Any

import httpx
import pytest

from tests.api.access_table import OPERATIONS, OUTSIDE_THE_DOCUMENT, Operation
from tests.api.document import openapi_document
from tests.api.matrix import Matrix
from tests.builders.exams import body_of
from tests.builders.people import People
from tests.builders.world import Identity

pytestmark = pytest.mark.anyio

LENIENT: set[Operation] = {
    ("GET", "/v1/health"),
    ("GET", "/v1/health/db"),
    ("GET", "/v1/health/ready"),
    ("GET", "/v1/notifications/unsubscribe"),
    ("POST", "/v1/notifications/unsubscribe"),
    *OUTSIDE_THE_DOCUMENT,
}
"""Programs call these that add parameters of their own: probes, monitoring, mail programs, browsers."""

PATHS: dict[str, Any] = openapi_document()["paths"]
REPEATABLE = {("GET", "/v1/exams"), ("GET", "/v1/exams/{exam_id}/attempts"), ("GET", "/v1/questions")} | {
    ("GET", "/v1/users/attempts")
}


def parameters_of(operation: Operation) -> dict[str, dict[str, Any]]:
    """The query parameters of an operation by name, as the OpenAPI document describes them."""
    method, template = operation
    found = PATHS[template][method.lower()].get("parameters", [])
    return {each["name"]: each["schema"] for each in found if each["in"] == "query"}


def is_list(schema: dict[str, Any]) -> bool:
    return any(each.get("type") == "array" for each in [schema, *schema.get("anyOf", [])])


SINGLE = [
    (operation, name)
    for operation in OPERATIONS
    for name, schema in parameters_of(operation).items()
    if operation not in LENIENT and not is_list(schema)
]


class TestUnknownParameters:
    async def test_each_operation_refuses_and_names_it(self, matrix: Matrix) -> None:
        for operation in OPERATIONS:
            path = matrix.world.path(operation[1])
            answer = await matrix.send(Identity.ADMIN, operation, f"{path}?no_such_parameter=1")
            if operation in LENIENT:
                assert "no_such_parameter" not in answer.text, operation
            else:
                errors = body_of(answer, 422)["errors"]
                assert [error["field"] for error in errors] == ["no_such_parameter"], operation

    async def test_probes_and_pages_ignore_it(self, matrix: Matrix) -> None:
        for operation in OUTSIDE_THE_DOCUMENT:
            path = matrix.world.path(operation[1], file="start.js")
            answer = await matrix.send(Identity.ANONYMOUS, operation, f"{path}?cache_buster=1")
            assert answer.status_code == 200, operation

    async def test_who_may_not_call_learns_no_name(self, matrix: Matrix) -> None:
        for identity, status in ((Identity.ANONYMOUS, 401), (Identity.CANDIDATE, 403)):
            answer = await matrix.send(identity, ("GET", "/v1/users"), "/v1/users?rolle=admin")
            assert (answer.status_code, "rolle" in answer.text) == (status, False)

    async def test_the_nearest_one_is_named(self, author: httpx.AsyncClient) -> None:
        for given, advice in [
            ("statsu", "Did you mean status?"),
            ("Status", "Did you mean status?"),
            ("status[]", "Did you mean status?"),
            ("x", "Known ones: cursor, limit, registered, status."),
            ("status" * 10, "Known ones: cursor, limit, registered, status."),
        ]:
            errors = body_of(await author.get("/exams", params={given: "live"}), 422)["errors"]
            assert errors == [{"field": given, "message": f"There is no such parameter. {advice}"}], given

    async def test_an_operation_without_parameters_says_so(self, author: httpx.AsyncClient) -> None:
        errors = body_of(await author.get("/users/profile", params={"a": "1"}), 422)["errors"]
        assert errors[0]["message"] == "There is no such parameter. This operation has none."

    async def test_an_empty_query_is_none(self, author: httpx.AsyncClient) -> None:
        assert (await author.get("/exams?")).status_code == 200


class TestRepeatedParameters:
    async def test_one_that_has_one_value_is_refused(self, matrix: Matrix) -> None:
        for operation, name in SINGLE:
            path = matrix.world.path(operation[1])
            answer = await matrix.send(Identity.ADMIN, operation, f"{path}?{name}=1&{name}=2")
            errors = body_of(answer, 422)["errors"]
            assert [error["field"] for error in errors] == [name], operation

    def test_a_status_may_be_repeated(self) -> None:
        for operation in REPEATABLE:
            assert is_list(parameters_of(operation)["status"]), operation

    async def test_exams_in_any_of_the_stages(self, author: httpx.AsyncClient) -> None:
        window = {"opens_at": "2090-01-01T04:00:00Z", "closes_at": "2090-01-01T08:00:00Z"}
        made = body_of(await author.post("/exams", json={"title": "Mock", **window}), 201)
        for query, is_listed in (("draft", True), ("live&status=draft", True), ("live&status=closed", False)):
            listed = body_of(await author.get(f"/exams?status={query}&limit=100"))["items"]
            assert (made["id"] in {exam["id"] for exam in listed}) == is_listed

    async def test_questions_in_any_of_the_states(self, author: httpx.AsyncClient) -> None:
        listed = await author.get("/questions?status=draft&status=retired")
        assert {question["status"] for question in body_of(listed)["items"]} <= {"draft", "retired"}


class TestUuidsOfAddresses:
    async def test_a_path_has_one_form_of_an_id(self, author: httpx.AsyncClient) -> None:
        window = {"opens_at": "2090-01-01T04:00:00Z", "closes_at": "2090-01-01T08:00:00Z"}
        id_ = body_of(await author.post("/exams", json={"title": "Mock", **window}), 201)["id"]
        assert (await author.get(f"/exams/{id_.upper()}")).status_code == 200
        for other in (f"{{{id_}}}", f"urn:uuid:{id_}", id_.replace("-", "")):
            errors = body_of(await author.get(f"/exams/{other}"), 422)["errors"]
            assert [error["field"] for error in errors] == ["exam_id"]

    async def test_so_has_a_query(self, author: httpx.AsyncClient) -> None:
        query = {"subject_id": "urn:uuid:0190a5f0-1c2d-7e3f-8a4b-5c6d7e8f9a0b"}
        errors = body_of(await author.get("/questions", params=query), 422)["errors"]
        assert [error["field"] for error in errors] == ["subject_id"]


class TestFormFields:
    """A misspelled `dry_run` must not import."""

    SHEET = b"subject,question,option_a,option_b,key\nPolity,Which?,A,B,a\n"

    async def test_an_unknown_or_repeated_field_is_refused(self, people: People) -> None:
        wrong: list[tuple[dict[str, Any], str]] = [
            ({"dryrun": "true"}, "dryrun"),
            ({"dry_run": ["true", "false"]}, "dry_run"),
            ({"File": "x"}, "File"),
        ]
        for form, field in wrong:
            author = await people.member("author")
            answer = await author.post("/questions/import", data=form, files={"file": self.SHEET})
            assert [error["field"] for error in body_of(answer, 422)["errors"]] == [field], form

    async def test_too_many_are_refused_by_their_number(self, author: httpx.AsyncClient) -> None:
        fields = {f"field-{number}": "x" for number in range(21)}
        for language, sentence in (
            ("en", "A form may have at most 20 fields."),
            ("hi", "एक फ़ॉर्म में अधिकतम 20 फ़ील्ड हो सकते हैं।"),
        ):
            answer = await author.post(
                "/questions/import",
                data=fields,
                files={"file": self.SHEET},
                headers={"Accept-Language": language},
            )
            assert body_of(answer, 422)["detail"] == sentence

    async def test_known_fields_are_taken(self, author: httpx.AsyncClient) -> None:
        answer = await author.post(
            "/questions/import", data={"dry_run": "true", "subject": "Polity"}, files={"file": self.SHEET}
        )
        assert answer.status_code == 200
