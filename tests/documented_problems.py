"""Fails a test in which the application answers with a problem that its operation does not list.

The application of the tests has this middleware. The services raise most errors, so that the code of a
route does not show which ones it may answer. The whole suite shows that the `code` enums of the document are
complete.
"""

import json
from typing import Any

from fastapi import FastAPI
from starlette.types import ASGIApp, Message, Receive, Scope, Send

PROBLEM_JSON = b"application/problem+json"
UNDOCUMENTED = frozenset({"internal_error", "method_not_allowed"})
"""An unexpected error, and a method for which the address has no operation."""


class DocumentedProblems:
    """Middleware around the application that compares the `code` of each problem with the document."""

    def __init__(self, app: ASGIApp, documented: FastAPI) -> None:
        self.app = app
        self._documented = documented
        self._codes: dict[str, frozenset[str]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        status, is_problem, content = 0, False, b""

        async def observe(message: Message) -> None:
            nonlocal status, is_problem, content
            if message["type"] == "http.response.start":
                status = message["status"]
                is_problem = any(value == PROBLEM_JSON for _, value in message["headers"])
            elif is_problem:
                content += message.get("body", b"")
            await send(message)

        await self.app(scope, receive, observe)
        if is_problem:
            self._check(scope, status, json.loads(content)["code"])

    def _check(self, scope: Scope, status: int, code: str) -> None:
        route = scope.get("route")
        operation = getattr(route, "name", "")
        documented = self._of_operations().get(operation)
        if documented is None or code in UNDOCUMENTED:  # No operation, or one outside the document.
            return
        assert f"{status} {code}" in documented, (
            f"{operation} answered {status} {code}, which its documentation does not list:"
            f" declare the error by problems(…) at the route"
        )

    def _of_operations(self) -> dict[str, frozenset[str]]:
        if not self._codes:
            document = self._documented.openapi()
            self._codes = {
                operation["operationId"]: frozenset(codes_of(operation, document))
                for item in document["paths"].values()
                for operation in item.values()
            }
        return self._codes


def codes_of(operation: dict[str, Any], document: dict[str, Any]) -> list[str]:
    """The problems that an operation lists, each as status and code."""
    schemas = document["components"]["schemas"]
    found = []
    for status, response in operation["responses"].items():
        shape = response.get("content", {}).get(PROBLEM_JSON.decode())
        if shape:
            listed = schemas[shape["schema"]["$ref"].rpartition("/")[2]]["allOf"][1]["properties"]["code"][
                "enum"
            ]
            found += [f"{status} {code}" for code in listed if f"`{code}`" in response["description"]]
    return found
