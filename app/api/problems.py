"""Problem documents (RFC 9457) for domain errors, framework errors, outages and unexpected errors."""

import asyncio
import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import asyncpg
import structlog
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from pydantic_core import to_jsonable_python
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, HTTPConnection
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.languages import language_of
from app.api.payloads import field_errors
from app.core.errors import (
    DomainError,
    FieldError,
    Invalid,
    Unavailable,
)
from app.core.outages import driver_error, is_outage
from app.core.translations import in_language, load_catalogs

PROBLEM_JSON = "application/problem+json"
DECLARED = "x-problems"
"""The part of a response's declaration that has the titles of its problems, by code."""

DATA_EXCEPTION_CLASS = "22"
"""The SQLSTATE class of values that PostgreSQL refuses."""

log = structlog.get_logger(__name__)


def install(app: FastAPI) -> None:
    """Install the handlers that turn every error of a route into a problem document."""
    handled = (DomainError, HTTPException, RequestValidationError, ClientDisconnect)
    outages = (
        SQLAlchemyError,
        asyncpg.PostgresError,
        asyncpg.InterfaceError,
        asyncpg.InternalClientError,
        OSError,  # This includes a full disk and too many open files.
        RedisError,
    )
    for kind in (*handled, *outages):
        app.add_exception_handler(kind, _handle)
    load_catalogs()


class UnexpectedErrors:
    """Middleware for unexpected errors: the client gets a 500 without details, the log gets the traceback.

    A request that is cancelled because the process ends gets a 503.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        started = False

        async def observe(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self.app(scope, receive, observe)
        except asyncio.CancelledError:
            if not started:
                await _domain_problem(scope, Unavailable())(scope, receive, send)
            raise
        except Exception:
            log.exception("unexpected_error")
            if started:
                raise  # The server closes the connection, so that the client sees an incomplete response.
            await _unexpected(scope)(scope, receive, send)


def response_to(connection: HTTPConnection, error: Exception) -> Response:
    """The response to any error, for requests that pass neither the handlers nor `UnexpectedErrors`."""
    known = domain_error_of(error)
    if known is not None:
        return _domain_problem(connection.scope, known)
    log.error("unexpected_error", exc_info=error)
    return _unexpected(connection.scope)


async def _handle(connection: HTTPConnection, error: Exception) -> Response:
    if isinstance(error, HTTPException):
        return _http_problem(connection.scope, error)
    known = domain_error_of(error)
    if known is None:
        raise error
    return _domain_problem(connection.scope, known)


def domain_error_of(error: Exception) -> DomainError | None:
    """The domain error of an exception, or None if it is unexpected."""
    if isinstance(error, DomainError):
        return error
    if isinstance(error, RequestValidationError):
        return Invalid("The request is not valid.", errors=field_errors(error))
    if isinstance(error, ClientDisconnect):
        return Invalid("The body is incomplete.")  # The client is gone, and it is no bug.
    return _storage_error(error)


def _storage_error(error: Exception) -> DomainError | None:
    cause = driver_error(error)
    if _is_bad_value(cause):
        log.warning("value_refused_by_database", error=repr(cause))
        return Invalid("A value is too large, or has a character that cannot be stored.")
    if is_outage(error):
        log.warning("unavailable", error=repr(cause))
        return Unavailable()
    return None


def _is_bad_value(cause: BaseException) -> bool:
    state = cause.sqlstate if isinstance(cause, asyncpg.PostgresError) else None
    return state is not None and state.startswith(DATA_EXCEPTION_CLASS)


def _domain_problem(scope: Scope, error: DomainError) -> Response:
    return _problem(scope, error.status, error.code, error.title, error.detail, error)


def _http_problem(scope: Scope, error: HTTPException) -> Response:
    if isinstance(error.__cause__, DomainError):  # FastAPI wraps errors of the body's reader.
        return _domain_problem(scope, error.__cause__)
    if error.status_code == HTTPStatus.BAD_REQUEST:
        return _domain_problem(scope, Invalid("The body could not be read. Check its encoding and form."))
    status = HTTPStatus(error.status_code)
    code = status.phrase.lower().replace(" ", "_").replace("-", "_")
    title, detail = FRAMEWORK_ERRORS.get(status, OTHER_ERROR)
    return _problem(scope, status, code, title, detail, headers=error.headers)


FRAMEWORK_ERRORS = {
    HTTPStatus.NOT_FOUND: ("Not found", "There is no such address."),
    HTTPStatus.METHOD_NOT_ALLOWED: (
        "Method not allowed",
        "This address does not support this method. See the Allow header.",
    ),
}
"""The title and the detail of errors that Starlette raises."""

OTHER_ERROR = ("Request refused", "The server does not accept this request.")

INTERNAL_ERROR = (
    "Internal error",
    "An unexpected error occurred. If it happens again, report it with the request_id.",
)


def _unexpected(scope: Scope) -> Response:
    return _problem(scope, 500, "internal_error", *INTERNAL_ERROR)


def _problem(
    scope: Scope,
    status: int,
    code: str,
    title: str,
    detail: str,
    error: DomainError | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    language = language_of(scope)
    state = scope.get("state", {})
    state["problem"] = code  # For the line in the log.
    document = {
        **(_members(error, language) if error else {}),
        "type": f"urn:ias:problem:{code}",
        "title": in_language(title, language),
        "status": int(status),
        "detail": in_language(detail, language),
        "code": code,
        "request_id": state.get("request_id"),
    }
    # `errors` may contain the client's field names. An unpaired surrogate in them must not break the
    # response.
    text = json.dumps(document, default=to_jsonable_python, ensure_ascii=False)
    own = {
        **(headers or (error.headers if error else {})),
        "Content-Language": language,
        "Vary": "Accept-Language",
    }
    return Response(text.encode(errors="replace"), status, own, PROBLEM_JSON)


def _members(error: DomainError, language: str) -> dict[str, Any]:
    """The members of the document that are the error's own, and its errors by field."""
    errors = [_field_problem(each, language) for each in error.errors]
    return {**error.members, **({"errors": errors} if errors else {})}


def _field_problem(error: FieldError, language: str) -> dict[str, Any]:
    question = {} if error.question_id is None else {"question_id": error.question_id}
    return {"field": error.field, "message": in_language(error.message, language), **question}


def problems(*errors: type[DomainError]) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route that may raise these errors.

    `api/openapi/problem_codes.py` completes them, and adds the errors that follow from the form of a request.
    """
    by_status: dict[int | str, dict[str, Any]] = {}
    for error in errors:
        by_status.setdefault(error.status, {DECLARED: {}})[DECLARED][error.code] = error.title
    return by_status
