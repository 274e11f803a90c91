"""`Accept-Language` chooses the language of errors."""

import re
from uuid import UUID

import pytest

from app.api.languages import MAX_HEADER_LENGTH, preferred
from tests.api.matrix import Matrix
from tests.builders.world import Identity

UNKNOWN = UUID(int=7)

pytestmark = pytest.mark.anyio


def test_of_a_header() -> None:
    for accepted, language in [
        ("hi", "hi"),
        ("hi-IN", "hi"),
        ("HI-in", "hi"),
        ("en", "en"),
        ("en-GB,hi;q=0.9", "en"),
        ("en;q=0.5,hi;q=0.9", "hi"),
        ("en; q=0.5 , hi ; q=0.9", "hi"),
        ("hi-IN,hi;q=0.9,en-US;q=0.8,en;q=0.7", "hi"),
        ("en-IN,en;q=0.9,hi-IN;q=0.8,hi;q=0.7", "en"),
        ("hi-IN;q=0.3,en;q=0.5,hi;q=0.9", "hi"),
        ("hi,en", "hi"),
        ("en,hi", "en"),
        ("ta,hi;q=0.2", "hi"),
        ("ta", "en"),
        ("ta,*;q=0.5,hi;q=0.1", "en"),
        ("hi;q=0", "en"),
        ("hi;q=0,*", "en"),
        ("*", "en"),
        ("", "en"),
        (",;,=", "en"),
        ("hi;q=2", "en"),
        ("hi;q=x", "en"),
        ("hi;q=nan", "en"),
        ("hi;q=-1,en;q=0.1", "en"),
        ("hin", "en"),
        ("x" * MAX_HEADER_LENGTH, "en"),
    ]:
        assert preferred(accepted) == language, accepted


async def test_refusals_before_the_route_are_in_hindi(matrix: Matrix) -> None:
    for identity, method, path, status in [
        (Identity.ANONYMOUS, "GET", "/v1/users/profile", 401),
        (Identity.BANNED, "GET", "/v1/users/profile", 401),
        (Identity.CANDIDATE, "GET", "/v1/users", 403),
        (Identity.CANDIDATE, "GET", f"/v1/tests/{UNKNOWN}", 404),
        (Identity.CANDIDATE, "POST", f"/v1/tests/{UNKNOWN}/start", 404),
        (Identity.AUTHOR, "POST", "/v1/subjects", 413),
    ]:
        content = b" " * 2_000_000 if status == 413 else None
        answer = await matrix.send(
            identity, (method, path), path, content=content, headers={"Accept-Language": "hi"}
        )
        assert answer.status_code == status, identity
        problem = answer.json()
        assert answer.headers["Content-Language"] == "hi", identity
        assert all(re.search("[\u0900-\u097f]", problem[name]) for name in ("title", "detail")), identity
