"""Signed response sheets, and the keys that verify them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import Field

from app.core.signing import ALGORITHM, to_base64url
from app.models import SigningKey
from app.schemas.attempts import Answer, Confidence
from app.schemas.common import LocalizedText, Out


class SigningKeyOut(Out):
    """A public key. `public_key` has its 32 bytes in base64url.

    The key has signed from `from` on. `until` is null for the keys that sign now. What an old key has signed
    stays valid.
    """

    id: Annotated[str, Field(examples=["3f0c6a5d9b1e2c47"])]
    algorithm: Annotated[str, Field(examples=[ALGORITHM])]
    public_key: str
    from_: Annotated[datetime, Field(alias="from")]
    until: datetime | None

    @classmethod
    def of(cls, key: SigningKey) -> Self:
        """A stored key."""
        return cls.model_validate(
            {
                "id": key.id,
                "algorithm": ALGORITHM,
                "public_key": to_base64url(key.public_key),
                "from": key.created_at,
                "until": key.retired_at,
            }
        )


class SigningKeysOut(Out):
    """All public keys of the installation, the newest first."""

    items: list[SigningKeyOut]

    @classmethod
    def of(cls, keys: Sequence[SigningKey]) -> Self:
        """All stored keys."""
        return cls(items=[SigningKeyOut.of(key) for key in keys])


class LoggedResponseOut(Out):
    """A response event as it arrived. `late` ones came after the deadline and its grace and do not count."""

    question_id: UUID
    lease: int
    revision: int
    answer: Answer
    marked_for_review: bool
    time_spent_ms: int
    confidence: Confidence | None
    language: str | None
    received_at: datetime
    late: bool


class SheetQuestionOut(Out):
    """A question with the answer that stands. The fields of a question without any answer are null."""

    number: int
    question_id: UUID
    section_id: UUID
    answer: Answer
    lease: int | None
    revision: int | None
    received_at: datetime | None
    marked_for_review: bool
    confidence: Confidence | None
    time_spent_ms: int
    changes: int


class SheetCandidateOut(Out):
    """Whose sheet it is."""

    name: str | None
    roll_number: str | None


class SheetTestOut(Out):
    """The test that was taken."""

    id: UUID
    title: LocalizedText


class SheetExamPaperOut(Out):
    """The paper of an exam that was taken."""

    id: UUID
    code: str
    title: LocalizedText


class SheetExamOut(Out):
    """The exam in which the test was taken."""

    id: UUID
    title: LocalizedText
    paper: SheetExamPaperOut


class SheetPaperOut(Out):
    """The version of the test's paper."""

    id: UUID
    version: int


class SheetAttemptOut(Out):
    """The attempt. `leases` counts its starts and resumptions; older attempts have fewer rows of them."""

    id: UUID
    number: int
    practice: bool
    status: Literal["submitted", "void"]
    started_at: datetime
    deadline_at: datetime
    submitted_at: datetime | None
    closed_by: Literal["candidate", "deadline", "staff"] | None
    extra_seconds: int
    leases: int


class SheetLeaseOut(Out):
    """When a device started or resumed the attempt. `device` is what the app said of itself."""

    lease: int
    device: str | None
    given_at: datetime


class SheetOrderOut(Out):
    """What staff did to the attempt, such as `extend` or `reopen`."""

    action: str
    at: datetime
    seconds: int | None


class ResponseSheetOut(Out):
    """What was answered, and how the attempt went. It has no key and no marks."""

    format: Annotated[str, Field(examples=["ias response sheet 1"])]
    institute: str
    as_of: datetime
    candidate: SheetCandidateOut
    test: SheetTestOut
    exam: SheetExamOut | None
    paper: SheetPaperOut
    attempt: SheetAttemptOut
    questions: list[SheetQuestionOut]
    leases: list[SheetLeaseOut]
    orders: list[SheetOrderOut]
    log: list[LoggedResponseOut]
    log_digest: str


class SheetSignatureOut(Out):
    """The signature of `sheet`: `value` is base64url of 64 bytes."""

    algorithm: str
    key_id: str
    value: str


class SignedResponseSheetOut(Out):
    """A response sheet with the signature over its canonical JSON."""

    sheet: ResponseSheetOut
    signature: SheetSignatureOut
