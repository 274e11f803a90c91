"""Limits how many requests are in progress, so that those which were admitted are answered soon.

Without a limit, an overloaded process works on all requests at once, and most of them fail after they have
waited for 15 seconds. See docs/decisions/0103.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_IN_PROGRESS = 200
"""FastAPI answered 20 to 70 requests a second in the worst minutes of a rehearsal, and 300 at other times. So
the last of these waits for 1 to 10 seconds, and gets a connection within the 15 seconds of the pool."""
ADMITTED = "ias_admitted"
"""The key of the `AdmittedRequest` in the scope of a request that was admitted."""


class Admission:
    """Counts the requests of a process that are in progress.

    A request does not count while it waits for its body, for a turn of its person (`PersonalTurns`), or for
    its client to read the response. So clients that send or read slowly, and people who send many requests,
    do not use the capacity of others.
    """

    def __init__(self, most: int = MAX_IN_PROGRESS) -> None:
        self.in_progress = 0
        """How many requests are in progress. Only `run` changes it."""
        self._most = most
        self._staff: set[UUID] = set()

    @property
    def is_full(self) -> bool:
        """Whether `most` requests are in progress. The caller may admit a request all the same."""
        return self.in_progress >= self._most

    def remember_staff(self, user_id: UUID) -> None:
        """Remember a person who is staff. A person who is no longer staff stays until the process ends."""
        self._staff.add(user_id)

    def remembers_staff(self, user_id: UUID) -> bool:
        """Whether the person was remembered."""
        return user_id in self._staff

    async def run(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the application answer a request, which counts meanwhile."""
        request = scope[ADMITTED] = AdmittedRequest(self, receive, send)
        request.begin()
        try:
            await app(scope, request.receive, request.send)
        finally:
            request.end()


class AdmittedRequest:
    """A request, which counts from `begin` to `end`."""

    def __init__(self, admission: Admission, receive: Receive, send: Send) -> None:
        self._admission = admission
        self._receive = receive
        self._send = send
        self._counts = False
        self._has_body = False

    def begin(self) -> None:
        """Count this request, unless it is counted already."""
        if not self._counts:
            self._counts = True
            self._admission.in_progress += 1

    def end(self) -> None:
        """Stop counting it."""
        if self._counts:
            self._counts = False
            self._admission.in_progress -= 1

    @contextmanager
    def uncounted(self) -> Iterator[None]:
        """Do not count it during the block."""
        self.end()
        try:
            yield
        finally:
            self.begin()

    async def receive(self) -> Message:
        """The next part of the body, which is awaited without counting, or the disconnect."""
        if self._has_body:
            return await self._receive()  # A disconnect is awaited while the request is in progress.
        with self.uncounted():
            message = await self._receive()
        self._has_body = not message.get("more_body", False)
        return message

    async def send(self, message: Message) -> None:
        """Send a part of the response. After the last one the request is no longer counted."""
        self.end()
        await self._send(message)
        if message["type"] == "http.response.start" or message.get("more_body", False):
            self.begin()
