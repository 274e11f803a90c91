"""The routes that are answered without FastAPI, their requests and their responses."""

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

from starlette.requests import HTTPConnection
from starlette.types import Scope

from app.api.deps import note_write, personal_turn
from app.core.attempt_scope import AttemptScope
from app.core.tokens import AccessClaims, AttemptGrant, KeysUnavailable, TokenRejected, is_attempt_token
from app.schemas.common import Out
from app.services.components import Components
from app.services.users import Account, account_of

_ID = "([0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})"
_PARAMETER = re.compile(r"\{\w+\}")

RawHeaders: TypeAlias = tuple[tuple[bytes, bytes], ...]
JSON_HEADERS = ((b"content-type", b"application/json"),)


@dataclass(slots=True)
class DirectRequest:
    """A request of a hot route, completely read. It has no query, unless the route takes one."""

    scope: Scope
    headers: Mapping[bytes, bytes | None]
    """By their names. None if it is sent twice."""
    ids: Sequence[UUID]
    """The parameters of the path."""
    body: bytes
    parts: Components

    @property
    def arrived_at(self) -> datetime:
        """The time of arrival."""
        arrived_at: datetime = self.scope["state"]["arrived_at"]
        return arrived_at

    def header(self, name: bytes) -> bytes | None:
        """A header; empty if it is not sent, and None if it is sent twice."""
        return self.headers.get(name, b"")

    def bearer(self) -> str:
        """The bearer token, or an empty text."""
        value = self.header(b"authorization") or b""
        return value[7:].decode("latin-1") if value.startswith(b"Bearer ") else ""

    def has_attempt_token(self) -> bool:
        """Whether the bearer token is an attempt token, valid or not."""
        return is_attempt_token(self.bearer())

    def grant(self) -> AttemptGrant | None:
        """The content of the attempt token that the request has. The log line names its candidate."""
        try:
            grant = self.parts.attempt_tokens.read(self.bearer())
        except TokenRejected:
            return None
        self.scope["state"]["user_id"] = str(grant.attempt.user_id)
        return grant

    def grant_of(self, scope: AttemptScope | None) -> AttemptGrant | None:
        """The content of the attempt token, if it is of this scope. A scope that is not known is None."""
        grant = self.grant()
        return grant if grant is not None and grant.attempt.scope == scope else None

    def turn(self) -> AbstractAsyncContextManager[None]:
        """Run the block in a turn of the person, as the documented routes do. See `PersonalTurns`."""
        return personal_turn(HTTPConnection(self.scope), self.parts)

    async def note_write(self) -> None:
        """After the commit: the person must not read from a replica that lacks it."""
        await note_write(HTTPConnection(self.scope), self.parts)

    async def account(self) -> Account | None:
        """The account of the access token that the request has, which is valid and not revoked."""
        claims = await self.login()
        return None if claims is None else account_of(claims)

    async def login(self) -> AccessClaims | None:
        """The content of that token."""
        parts = self.parts
        if not parts.revocations.is_loaded:
            return None
        try:
            claims = await parts.access_tokens.verify(self.bearer())
        except (TokenRejected, KeysUnavailable):
            return None
        if parts.revocations.cover(claims.user_id, claims.session_id, claims.signed_in_at):
            return None
        self.scope["state"]["user_id"] = str(claims.user_id)
        return claims


@dataclass(frozen=True, slots=True)
class DirectResponse:
    """A response. The length and the headers that every response has are added."""

    status: int
    headers: RawHeaders
    body: bytes

    @classmethod
    def of(cls, status: int, content: Out) -> "DirectResponse":
        """A response with JSON."""
        return cls(status, JSON_HEADERS, content.__pydantic_serializer__.to_json(content))


Responder: TypeAlias = Callable[[DirectRequest], Awaitable[DirectResponse | None]]
"""Answers a request. None if the documented route must answer it; then nothing has been changed."""
ResponderWithoutTask: TypeAlias = Callable[[DirectRequest], DirectResponse | None]
"""Answers a GET without awaiting anything. None if the `Responder` must answer it."""


class DirectRoute:
    """A hot route: its method and path, such as `/v1/tests/{test_id}/start`, and how it is answered.

    Larger bodies than `most_bytes` are left to the documented route, which checks their size and the number
    of their values (`api/json_bodies.py`).
    """

    def __init__(
        self,
        method: str,
        template: str,
        respond: Responder,
        *,
        without_task: ResponderWithoutTask | None = None,
        most_bytes: int = 1_000,
        takes_query: bool = False,
        always_admitted: bool = False,
    ) -> None:
        self.method = method
        self.template = template
        self.respond = respond
        self.without_task = without_task
        self.most_bytes = most_bytes
        self._takes_query = takes_query
        self.always_admitted = always_admitted
        """Whether candidates in an exam need it: it is not refused while many requests are in progress."""
        self.path = re.compile(_PARAMETER.sub(lambda _: _ID, template))

    def allows_query_of(self, scope: Scope) -> bool:
        """Whether the request has no query, or the route takes one. Otherwise FastAPI answers it."""
        return self._takes_query or not scope["query_string"]

    @property
    def key(self) -> tuple[str, str]:
        """The method and the last part of the path; an empty text stands for an id."""
        return self.method, _PARAMETER.sub("", self.template.rpartition("/")[2])
