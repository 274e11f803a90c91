"""The domain errors that services raise. `api/problems.py` renders each as an RFC 9457 problem document.

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
│   ├── AttemptNotInProgress (core/saving_errors.py)
│   ├── DeadlinePassed (core/saving_errors.py)
│   ├── SectionClosed (core/saving_errors.py)
│   ├── SaveLimitReached (core/saving_errors.py)
│   ├── AttemptsExhausted
│   ├── NotAvailable
│   ├── NotGradedYet
│   ├── NotPublishable
│   ├── PaperNotOpen
│   ├── EntryClosed
│   ├── NotRegistered
│   ├── SessionTaken
│   ├── PapersNotOver (core/release_errors.py)
│   ├── AttemptsInProgress (core/release_errors.py)
│   ├── KeyNotShown (core/objection_errors.py)
│   ├── ObjectionsClosed (core/objection_errors.py)
│   ├── ObjectionsOpen (core/objection_errors.py)
│   ├── ObjectionLimitReached (core/objection_errors.py)
│   ├── ObjectionDecided (core/objection_errors.py)
│   ├── ResultsNotReleased
│   ├── NotPossible
│   ├── StaleDryRun (core/revision_errors.py)
│   ├── KeyRevisionRunning (core/revision_errors.py)
│   ├── ResponseNotStored (core/idempotency.py)
│   └── QuestionUnreadable
├── BodyTooSlow (408)
├── TooLarge (413)
├── Invalid (422)
│   ├── IdempotencyKeyReused (core/idempotency.py)
│   ├── TooComplex
│   └── WeakPassword
├── TooManyRequests (429)
└── Unavailable (503)
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import ceil
from typing import Any, ClassVar
from uuid import UUID

from app.sentences import Sentence


@dataclass(frozen=True, slots=True)
class FieldError:
    """An error in one field of a payload. `field` is a path such as `responses.3.answer`.

    `question_id` is set where the field belongs to the response to a question.
    """

    field: str
    message: str
    question_id: UUID | None = None


class DomainError(Exception):
    """The base of all errors that end a request. `detail` is a sentence for the user of the client."""

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
    """The request carries no valid credentials."""

    status, code, title = 401, "unauthenticated", "Sign in first"

    def __init__(self, detail: str = "Send a valid access token as a bearer token.") -> None:
        super().__init__(detail)
        self.headers = {"WWW-Authenticate": "Bearer"}


class InvalidCredentials(Unauthenticated):
    """A login failed. The error is the same for an unknown address, a wrong password and a banned account."""

    code, title = "invalid_credentials", "Wrong e-mail address or password"

    def __init__(self, detail: str = "The e-mail address or the password is wrong.") -> None:
        super().__init__(detail)


class InvalidToken(Unauthenticated):
    """The token was not issued by us, has expired or was used before."""

    code, title = "invalid_token", "Token not valid"

    def __init__(self, detail: str = "The token is not valid or has expired. Sign in again.") -> None:
        super().__init__(detail)


class SessionRevoked(Unauthenticated):
    """The session was ended by a logout, a password reset or an administrator."""

    code, title = "session_revoked", "Session ended"

    def __init__(self, detail: str = "This session has been ended. Sign in again.") -> None:
        super().__init__(detail)


class Forbidden(DomainError):
    """The user is authenticated but has no permission for the request."""

    status, code, title = 403, "forbidden", "Not allowed"

    def __init__(self, detail: str = "Your role does not allow this.") -> None:
        super().__init__(detail)


NO_SUCH = "There is no such {}, or you may not see it."
"""The catalogs have a whole sentence for each noun, because other languages have genders."""


class NotFound(DomainError):
    """The resource does not exist or the user may not see it. Both give the same response on purpose."""

    status, code, title = 404, "not_found", "Not found"

    def __init__(self, what: str) -> None:
        super().__init__(NO_SUCH.format(what))


class Conflict(DomainError):
    """The current state of the resource does not allow the request."""

    status, code, title = 409, "conflict", "Not allowed in the current state"


class EmailTaken(Conflict):
    """An account with this e-mail address exists already."""

    code, title = "email_taken", "Address already registered"

    def __init__(self) -> None:
        super().__init__("An account with this e-mail address exists already. Sign in or reset the password.")


class InUse(Conflict):
    """The resource cannot be deleted or changed because another resource refers to it."""

    code, title = "in_use", "Still in use"


class AlreadyExists(Conflict):
    """A value that must be unique exists already."""

    code, title = "already_exists", "Already exists"


class AttemptsExhausted(Conflict):
    """The candidate has used all attempts that the test allows."""

    code, title = "attempts_exhausted", "No attempts left"

    def __init__(self, allowed: int) -> None:
        if allowed == 1:
            sentence = Sentence("The test allows one attempt. It is used.")
        else:
            sentence = Sentence("The test allows {allowed} attempts. All of them are used.", allowed=allowed)
        super().__init__(sentence, allowed=allowed)


class SessionTaken(Conflict):
    """The candidate has an attempt at another paper of the same session group."""

    code, title = "session_taken", "Another session taken"

    def __init__(self, paper: str) -> None:
        sentence = "You have sat paper {paper}, another session of this exam. A candidate sits one of them."
        super().__init__(Sentence(sentence, paper=paper), paper=paper)


class NotAvailable(Conflict):
    """The test is outside its period of availability or has no published paper."""

    code, title = "not_available", "Not available now"


class NotGradedYet(Conflict):
    """The attempt exists, but has no result that may be shown now."""

    code, title = "not_graded_yet", "Not graded yet"

    def __init__(self) -> None:
        super().__init__(
            "The attempt has no result now. Submit it if it is in progress. Otherwise ask again later: "
            "it is being graded, or an exam that is not released has a question of its paper."
        )


class NotPublishable(Conflict):
    """The test cannot be published. `errors` has one entry for each reason."""

    code, title = "not_publishable", "Test cannot be published"


class PaperNotOpen(Conflict):
    """The exam paper has not opened yet. `opens_at` is the time from which the call is possible."""

    code, title = "paper_not_open", "Paper not open yet"

    def __init__(self, starts_at: datetime, opens_at: datetime, now: datetime) -> None:
        super().__init__(
            "The paper is not open yet.", starts_at=starts_at, opens_at=opens_at, server_time=now
        )
        self.headers = {"Retry-After": str(max(1, ceil((opens_at - now).total_seconds())))}


class EntryClosed(Conflict):
    """The time for starting an exam paper, or for registering for the exam, is over."""

    code, title = "entry_closed", "Entry is closed"

    def __init__(self, closed_at: datetime) -> None:
        super().__init__("Entry is closed.", closed_at=closed_at)


class NotRegistered(Conflict):
    """The candidate is not registered for the exam."""

    code, title = "not_registered", "Not registered"

    def __init__(self) -> None:
        super().__init__("You are not registered for this exam.")


class ResultsNotReleased(Conflict):
    """The results of the exam are not released, or another exam withholds them."""

    code, title = "results_not_released", "Results not released"

    def __init__(self) -> None:
        super().__init__(
            "The results of this exam are not available now. They are not released, "
            "or another exam that is not released has a question of this one."
        )


class NotPossible(Conflict):
    """The exam or attempt is in a state in which the action of staff is not possible."""

    code, title = "not_possible", "Not possible now"


class QuestionUnreadable(Conflict):
    """Stored data of a question that this version of the product cannot read: an unknown type or key."""

    code, title = "question_unreadable", "Question cannot be read"

    def __init__(self, question_id: UUID, reason: str, *, errors: Sequence[FieldError] = ()) -> None:
        template = "Question {question_id} cannot be read. {reason}"
        detail = Sentence(template, question_id=question_id, reason=Sentence(reason))
        super().__init__(detail, errors=errors, question_id=question_id)
        self.reason = reason


class BodyTooSlow(DomainError):
    """The request body did not arrive in time."""

    status, code, title = 408, "body_too_slow", "Body too slow"

    def __init__(self, seconds: float) -> None:
        template = "The body did not arrive within {seconds:g} seconds. Nothing was changed. Try again."
        super().__init__(Sentence(template, seconds=seconds))


class TooLarge(DomainError):
    """The request body exceeds its size limit."""

    status, code, title = 413, "too_large", "Payload too large"

    def __init__(self, limit_bytes: int) -> None:
        sentence = Sentence("The body may have at most {limit:,} bytes.", limit=limit_bytes)
        super().__init__(sentence, limit_bytes=limit_bytes)


class Invalid(DomainError):
    """The payload is not valid. `errors` says which fields are wrong and how to correct them."""

    status, code, title = 422, "invalid", "Payload not valid"

    @classmethod
    def field(cls, field: str, message: str) -> "Invalid":
        """An error in one field."""
        detail = Sentence("{field}: {message}", field=field, message=Sentence(message))
        return cls(detail, errors=[FieldError(field, message)])


class TooComplex(Invalid):
    """A file or text exceeded the limit of time or memory for its processing."""

    code, title = "too_complex", "Too complex to process"


class WeakPassword(Invalid):
    """The password policy or the auth server rejects the password."""

    code, title = "weak_password", "Password too weak"

    def __init__(self, message: str) -> None:
        super().__init__(message, errors=[FieldError("password", message)])


class TooManyRequests(DomainError):
    """A rate limit was exceeded. `retry_after` is in seconds."""

    status, code, title = 429, "too_many_requests", "Too many requests"

    def __init__(self, retry_after: int, reason: str = "Too many requests.") -> None:
        template = "{reason} Try again in {retry_after} s."
        super().__init__(Sentence(template, reason=Sentence(reason), retry_after=retry_after))
        self.headers = {"Retry-After": str(retry_after)}


class Unavailable(DomainError):
    """A required service does not respond. Whether something was changed is not known: a statement may have
    been committed although its response was lost or came too late. The client sends the request again.
    """

    status, code, title = 503, "unavailable", "Temporarily unavailable"

    def __init__(
        self, detail: str = "The service is temporarily unavailable. Try again.", retry_after: int = 2
    ) -> None:
        super().__init__(detail)
        self.headers = {"Retry-After": str(retry_after)}
