"""Facts that services raise; `api/problems.py` renders each as an RFC 9457 problem document.

The whole tree:

DomainError
├── Unauthenticated (401)
│   ├── InvalidCredentials
│   ├── InvalidToken
│   └── SessionRevoked
├── Forbidden (403)
├── NotFound (404)
├── Conflict (409)
│   ├── EmailTaken
│   ├── InUse
│   ├── AlreadyExists
│   ├── AttemptNotInProgress
│   ├── DeadlinePassed
│   ├── SectionClosed
│   ├── SaveLimitReached
│   ├── AttemptsExhausted
│   ├── NotAvailable
│   ├── NotGradedYet
│   ├── NotPublishable
│   ├── PaperNotOpen
│   ├── EntryClosed
│   ├── NotRegistered
│   ├── AttemptsInProgress
│   ├── ResultsNotReleased
│   └── NotPossible
├── BodyTooSlow (408)
├── TooLarge (413)
├── Invalid (422)
│   ├── TooComplex
│   └── WeakPassword
├── TooManyRequests (429)
├── QuestionUnreadable (500)
└── Unavailable (503)
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID


@dataclass(frozen=True, slots=True)
class FieldError:
    """One thing wrong with one field of a payload; `field` is a path like `responses.3.answer`."""

    field: str
    message: str


class DomainError(Exception):
    """Something true about the world that ends a request. The message is meant for the client's user."""

    status: ClassVar[int]
    code: ClassVar[str]
    title: ClassVar[str]

    def __init__(self, detail: str, *, errors: Sequence[FieldError] = (), **members: Any) -> None:
        super().__init__(detail)
        self.detail = detail
        self.errors = tuple(errors)
        self.members: Mapping[str, Any] = members
        self.headers: Mapping[str, str] = {}


class Unauthenticated(DomainError):
    """Nobody, or nobody whom we believe."""

    status, code, title = 401, "unauthenticated", "Sign in first"

    def __init__(self, detail: str = "Send a valid access token as a bearer token.") -> None:
        super().__init__(detail)
        self.headers = {"WWW-Authenticate": "Bearer"}


class InvalidCredentials(Unauthenticated):
    """Equal for an unknown address, a wrong password and a banned account."""

    code, title = "invalid_credentials", "Wrong e-mail address or password"

    def __init__(self, detail: str = "The e-mail address or the password is wrong.") -> None:
        super().__init__(detail)


class InvalidToken(Unauthenticated):
    """A token that we did not issue, that has expired, or that is used a second time."""

    code, title = "invalid_token", "Token not valid"

    def __init__(self, detail: str = "The token is not valid or has expired. Sign in again.") -> None:
        super().__init__(detail)


class SessionRevoked(Unauthenticated):
    """The session was ended: logout, password reset, or an administrator."""

    code, title = "session_revoked", "Session ended"

    def __init__(self, detail: str = "This session has been ended. Sign in again.") -> None:
        super().__init__(detail)


class Forbidden(DomainError):
    """We know who you are, and your role may not."""

    status, code, title = 403, "forbidden", "Not allowed"

    def __init__(self, detail: str = "Your role does not allow this.") -> None:
        super().__init__(detail)


class NotFound(DomainError):
    """Not there, or not yours: deliberately the same answer."""

    status, code, title = 404, "not_found", "Not found"

    def __init__(self, what: str = "resource") -> None:
        super().__init__(f"There is no such {what}, or it is not yours to see.")


class Conflict(DomainError):
    """The state of things forbids it."""

    status, code, title = 409, "conflict", "The current state forbids this"


class EmailTaken(Conflict):
    """Someone has registered this address."""

    code, title = "email_taken", "Address already registered"

    def __init__(self) -> None:
        super().__init__("An account with this e-mail address exists already. Sign in or reset the password.")


class InUse(Conflict):
    """Something else still needs it."""

    code, title = "in_use", "Still in use"


class AlreadyExists(Conflict):
    """A name that must be unique is taken."""

    code, title = "already_exists", "Already exists"


class AttemptNotInProgress(Conflict):
    """The attempt was ended by its candidate or by staff, or is paused."""

    code, title = "attempt_not_in_progress", "Attempt not in progress"

    def __init__(self, status: str) -> None:
        super().__init__(f"The attempt is {status}; it takes no more answers.", attempt_status=status)


class DeadlinePassed(Conflict):
    """Deadline and grace are over. `recorded` says whether answers were kept as late, `known` how many of
    those sent had come in time before, and do count."""

    code, title = "deadline_passed", "Time is up"

    def __init__(self, deadline_at: datetime, *, recorded: bool, known: int = 0) -> None:
        sentences = ["The attempt's time is up."]
        if recorded:
            sentences.append("What came too late was kept, and does not count.")
        if known:
            sentences.append(f"{known} of the answers had come in time before; they count.")
        super().__init__(" ".join(sentences), deadline_at=deadline_at, recorded=recorded, known=known)


class SectionClosed(Conflict):
    """A timed section that is over, or has not begun."""

    code, title = "section_closed", "Section not open"

    def __init__(self, section_id: UUID, at: datetime, *, opened: bool = True) -> None:
        sentence = "The section's time is up" if opened else "The section has not begun"
        super().__init__(f"{sentence}; none of the answers was saved.", section_id=section_id, at=at)


class SaveLimitReached(Conflict):
    """An attempt whose log is as long as one may be; no honest client gets there."""

    code, title = "save_limit_reached", "Too many answers saved"

    def __init__(self) -> None:
        super().__init__(
            "This attempt has saved as many answers as an attempt may. None of these was saved; what was"
            " saved before counts."
        )


class AttemptsExhausted(Conflict):
    """As many attempts were made as the test allows."""

    code, title = "attempts_exhausted", "No attempts left"

    def __init__(self, allowed: int) -> None:
        super().__init__(f"The test allows {allowed} attempt(s), all of them are used.", allowed=allowed)


class NotAvailable(Conflict):
    """A test outside its availability, or without a published paper."""

    code, title = "not_available", "Not available now"


class NotGradedYet(Conflict):
    """There is an attempt and no result yet."""

    code, title = "not_graded_yet", "Not graded yet"

    def __init__(self) -> None:
        super().__init__("The attempt has no result yet. Submit it, or ask again in a moment.")


class NotPublishable(Conflict):
    """What stands in the way of publishing a test, one entry for each."""

    code, title = "not_publishable", "Test cannot be published"


class PaperNotOpen(Conflict):
    """An exam's paper before its time."""

    code, title = "paper_not_open", "Paper not open yet"

    def __init__(self, opens_at: datetime, now: datetime) -> None:
        super().__init__("The paper is not open yet.", opens_at=opens_at, server_time=now)


class EntryClosed(Conflict):
    """Too late to enter an exam's paper, or to register for the exam."""

    code, title = "entry_closed", "Entry is closed"

    def __init__(self, closed_at: datetime) -> None:
        super().__init__("Entry is closed.", closed_at=closed_at)


class NotRegistered(Conflict):
    """A candidate without a place in the exam."""

    code, title = "not_registered", "Not registered"

    def __init__(self) -> None:
        super().__init__("You are not registered for this exam.")


class AttemptsInProgress(Conflict):
    """Results cannot be released while somebody is still sitting."""

    code, title = "attempts_in_progress", "Attempts in progress"

    def __init__(self, running: int) -> None:
        super().__init__(
            f"Attempts still running: {running}. Wait for their deadlines, or end them first.",
            running=running,
        )


class ResultsNotReleased(Conflict):
    """An exam's results are held until staff release them."""

    code, title = "results_not_released", "Results not released"

    def __init__(self) -> None:
        super().__init__("The results of this exam have not been released yet.")


class NotPossible(Conflict):
    """What staff asked for cannot be done to this exam or attempt as it stands."""

    code, title = "not_possible", "Not possible now"


class BodyTooSlow(DomainError):
    """The body did not arrive in time."""

    status, code, title = 408, "body_too_slow", "Body too slow"

    def __init__(self, seconds: float) -> None:
        super().__init__(
            f"The body did not arrive within {seconds:g} seconds. Nothing was changed: try again."
        )


class TooLarge(DomainError):
    """A body over its limit."""

    status, code, title = 413, "too_large", "Payload too large"

    def __init__(self, limit_bytes: int) -> None:
        super().__init__(f"The body may have at most {limit_bytes:,} bytes.", limit_bytes=limit_bytes)


class Invalid(DomainError):
    """The payload's shape or content is wrong; `errors` says where and how to mend it."""

    status, code, title = 422, "invalid", "Payload not valid"

    @classmethod
    def field(cls, field: str, message: str) -> "Invalid":
        """The usual case: one field, one message."""
        return cls(f"{field}: {message}", errors=[FieldError(field, message)])


class TooComplex(Invalid):
    """A file or text within its size that took more time or memory than it may."""

    code, title = "too_complex", "Too complex to be processed"


class WeakPassword(Invalid):
    """A password that our policy or the auth server refuses."""

    code, title = "weak_password", "Password too weak"

    def __init__(self, message: str) -> None:
        super().__init__(message, errors=[FieldError("password", message)])


class TooManyRequests(DomainError):
    """A rate limit; `retry_after` in whole seconds."""

    status, code, title = 429, "too_many_requests", "Too many requests"

    def __init__(self, retry_after: int, reason: str = "Too many requests.") -> None:
        super().__init__(f"{reason} Try again in {retry_after} s.")
        self.headers = {"Retry-After": str(retry_after)}


class QuestionUnreadable(DomainError):
    """Stored data of a question that this version of the product cannot read: an unknown type or key."""

    status, code, title = 500, "question_unreadable", "Question cannot be read"

    def __init__(self, question_id: UUID, reason: str) -> None:
        super().__init__(f"Question {question_id} cannot be read. {reason}", question_id=question_id)


class Unavailable(DomainError):
    """A part that we need does not answer; nothing was changed, a retry is safe."""

    status, code, title = 503, "unavailable", "Temporarily unavailable"

    def __init__(
        self, detail: str = "The service is temporarily unavailable. Try again.", retry_after: int = 2
    ) -> None:
        super().__init__(detail)
        self.headers = {"Retry-After": str(retry_after)}
