"""Routes that authenticate and authorize the caller before they read the body."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence
from itertools import islice
from typing import Annotated, Any, Generic, TypeVar

from fastapi import Depends, params
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, APIRouter
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.datastructures import FormData, Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match
from starlette.types import Message, Receive, Scope

from app.api.json_bodies import MAX_VALUES, read_json
from app.api.parameters import ParameterCheck, Parameters
from app.api.payloads import MAX_ERRORS, refuse_unstorable
from app.api.problems import DECLARED, problems
from app.core.client_address import limit_key
from app.core.errors import BodyTooSlow, DomainError, Invalid, TooLarge
from app.sentences import Sentence
from app.services.components import Components

T = TypeVar("T")

bearer_token = HTTPBearer(
    auto_error=False,
    scheme_name="AccessToken",
    description="The `access_token` of a login",
)
attempt_bearer_token = HTTPBearer(
    auto_error=False,
    scheme_name="AttemptToken",
    description="The `attempt_token` of a start. It is valid for this attempt alone",
)
Bearer = Annotated[HTTPAuthorizationCredentials | None, Depends(bearer_token)]
AttemptBearer = Annotated[HTTPAuthorizationCredentials | None, Depends(attempt_bearer_token)]

# What the API puts into the scope of a request, besides `state`:
# - `ias_access`: what the `Access` dependencies have decided, by dependency (below).
# - `ias_keep_response`: keeps the response to a request with an `Idempotency-Key` (`api/idempotency.py`).
# - `ias_messages`: a direct response as messages, for a web page (`api/direct_responses.py`).

PUBLIC_BODY_BYTES = 64 * 1024
"""Without a session a client sends an address, a password or a token."""
PUBLIC_VALUES = 500
MAX_FILES = 100
"""Of a form, such as answer sheets with a file for each room. The limit of the body bounds their size."""
MAX_FIELDS = 20
"""Of a form, besides its files."""
_FORM_LIMITS = {
    "Too many files": Sentence("Send at most {most} files.", most=MAX_FILES),
    "Too many fields": Sentence("A form may have at most {most} fields.", most=MAX_FIELDS),
}
"""How Starlette's error begins for a form that exceeds these limits, and what we say."""


class Access(Generic[T]):
    """A dependency that authenticates and authorizes the caller.

    It runs before the body is read and once for each request, so its only argument is the request. A route
    is not public if its signature has an `Access`, directly or through another dependency.
    """

    def __init__(
        self, decide: Callable[[Request], Awaitable[T]], *, raises: Sequence[type[DomainError]]
    ) -> None:
        self._decide = decide
        self.raises = raises

    async def of(self, request: Request, _: Bearer = None) -> T:
        """The caller. The first call decides, later ones reuse it. The bearer is for the OpenAPI document."""
        return await self.caller(request)

    async def of_attempt(self, request: Request, _: Bearer = None, __: AttemptBearer = None) -> T:
        """The caller, who may also send an attempt token."""
        return await self.caller(request)

    async def caller(self, request: Request) -> T:
        """The caller, decided once for each request."""
        decided = request.scope.setdefault("ias_access", {})
        if self not in decided:
            decided[self] = await self._decide(request)
        known: T = decided[self]
        return known


class PermissionFirstRoute(APIRoute):
    """A route that checks in this order: rate limit by address, authentication, authorization, parameters,
    size, body.

    FastAPI reads and parses a body before it resolves any dependency. Here the `Access` dependencies run
    first, so that a body of an unauthorized client is not read. Unknown parameters are refused. The body is
    limited in size and time, and JSON is checked before it is parsed.
    """

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        super().__init__(path, endpoint, **options)
        for error in (error for access in accesses(self.dependant) for error in access.raises):
            for status, response in problems(error).items():
                declared = self.responses.get(status, {DECLARED: {}})
                titles = declared[DECLARED] | response[DECLARED]
                self.responses = {**self.responses, status: {**declared, DECLARED: titles}}

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """FastAPI's handler, preceded by the access checks, with limits for the body."""
        handle = super().get_route_handler()
        checks = tuple(dict.fromkeys(accesses(self.dependant)))
        check_parameters = ParameterCheck(self.dependant)
        has_body = self.body_field is not None
        is_form = has_body and isinstance(self.body_field.field_info, params.Form)  # type: ignore[union-attr]
        form = check_parameters.form if is_form else None

        async def permission_first(request: Request) -> Response:
            refuse_unstorable(request)
            if not checks and has_body:
                await _limit_by_address(request)
            for check in checks:
                await check.caller(request)
            check_parameters(request)
            if has_body:
                request = _bounded(request, is_public=not checks, form=form)
            return await _answered_once(request, handle)

        return permission_first


class PrefixRouter(APIRouter):
    """A router of such routes. It tries them only if the path contains the beginning of its prefix."""

    def __init__(self, prefix: str = "", **options: Any) -> None:
        super().__init__(prefix=prefix, route_class=PermissionFirstRoute, **options)
        self._beginning = prefix.partition("{")[0]

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Whether one of the routes has this path. FastAPI asks each router, and each route of a router."""
        return super().matches(scope) if self._beginning in scope["path"] else (Match.NONE, {})


def accesses(dependant: Dependant) -> Iterator[Access[Any]]:
    """The `Access` dependencies below this one."""
    for each in dependant.dependencies:
        owner = getattr(each.call, "__self__", None)
        if isinstance(owner, Access):
            yield owner
        yield from accesses(each)


class Replayed(Exception):
    """The request was carried out before, and `response` is the first response."""

    def __init__(self, response: Response) -> None:
        super().__init__("the request was carried out before")
        self.response = response


async def _answered_once(request: Request, handle: Callable[[Request], Awaitable[Response]]) -> Response:
    """The response of the handler, or the earlier one to a request that is repeated (`api/idempotency.py`).

    A new response is kept while the transaction of the request is open: it commits after this.
    """
    try:
        response = await handle(request)
    except Replayed as replayed:
        return replayed.response
    if keep := request.scope.get("ias_keep_response"):
        await keep(response)
    return response


class BoundedRequest(Request):
    """A request whose JSON is checked before it is parsed, and whose form has only known fields."""

    def __init__(self, scope: Scope, receive: Receive, most_values: int, form: Parameters | None) -> None:
        super().__init__(scope, receive)
        self._most_values = most_values
        self._known = form

    async def json(self) -> Any:
        """Parse the body. Raises Invalid, or JSONDecodeError if it is not JSON."""
        if not hasattr(self, "_document"):
            self._document = read_json(await self.body(), self._most_values)
        return self._document

    async def _get_form(self, **limits: Any) -> FormData:
        try:
            form = await super()._get_form(**limits)
        except HTTPException as error:
            if (excess := _FORM_LIMITS.get(error.detail.partition(".")[0])) is None:
                raise
            raise Invalid(excess) from error
        if self._known and (errors := list(islice(self._known.errors(form), MAX_ERRORS))):
            await form.close()
            raise Invalid("The form is not valid.", errors=errors)
        return form


def _bounded(request: Request, *, is_public: bool, form: Parameters | None) -> Request:
    settings = _parts(request).settings
    is_form = form is not None
    limit = settings.max_upload_bytes if is_form else settings.max_body_bytes
    if is_public:
        limit = min(limit, PUBLIC_BODY_BYTES)
    seconds = settings.upload_seconds if is_form else settings.body_seconds
    most_values = PUBLIC_VALUES if is_public else MAX_VALUES
    # The body may have been awaited before (`api/direct_responses.py`).
    ends_at: float | None = getattr(request.state, "body_ends_at", None)
    receive = _within(request.receive, request.headers, limit, seconds, ends_at)
    return BoundedRequest(request.scope, receive, most_values, form)


def _within(receive: Receive, headers: Headers, limit: int, seconds: float, ends_at: float | None) -> Receive:
    """A `receive` that raises TooLarge for a body over the limit, and BodyTooSlow after the time limit.

    The time begins with the first call, unless it is known when it ends.
    """
    size = 0

    async def receive_within() -> Message:
        nonlocal size, ends_at
        if _announced(headers) > limit:
            raise TooLarge(limit)
        ends_at = ends_at or asyncio.get_running_loop().time() + seconds
        try:
            async with asyncio.timeout_at(ends_at):
                message = await receive()
        except TimeoutError:
            raise BodyTooSlow(seconds) from None
        size += len(message.get("body", b""))
        if size > limit:
            raise TooLarge(limit)
        return message

    return receive_within


def _announced(headers: Headers) -> int:
    text = headers.get("content-length", "0")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else 0


async def _limit_by_address(request: Request) -> None:
    parts = _parts(request)
    address = limit_key(request.state.client_address)
    await parts.limiter.check(request.state, [(parts.settings.public_limit_per_address, f"public:{address}")])


def _parts(request: Request) -> Components:
    parts: Components = request.app.state.components
    return parts
