"""Content for tests: subjects, questions and published tests, made with defaults that fit."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

from app.core.ids import uuid7
from app.models import DEFAULT_INSTITUTE_ID, Passage, Question, QuestionVersion, Subject
from app.services import tests
from app.services.questions import passages
from app.services.questions.passages import PassageDraft
from app.services.tests import SectionDraft, TestDraft
from app.services.unit_of_work import UnitOfWork
from app.services.users import operator

UPSC = {
    "correct": "2",
    "incorrect": "-2/3",
    "unattempted": "0",
    "partial": "none",
    "dropped": "prorate",
    "rounding": "upsc",
}
LETTERS = ("a", "b", "c", "d")


@dataclass(frozen=True)
class Made:
    """A published test and what its questions are keyed with."""

    id: UUID
    question_ids: Sequence[UUID]
    keys: Sequence[dict[str, Any]] = field(default_factory=list)

    @property
    def path(self) -> str:
        return f"/tests/{self.id}"


async def add_subject(uow: UnitOfWork, name: str = "Polity") -> Subject:
    """A subject with a slug of its own."""
    subject = Subject(
        id=uuid7(), institute_id=DEFAULT_INSTITUTE_ID, slug=f"polity-{uuid4().hex}", name={"en": name}
    )
    uow.session.add(subject)
    await uow.session.flush()
    return subject


async def add_passage(uow: UnitOfWork, text: str = "Read this.", media: Sequence[str] = ()) -> Passage:
    """A passage in its first version."""
    return await passages.create(uow, operator(), PassageDraft({"en": text}, list(media)))


async def add_questions(
    uow: UnitOfWork,
    keys: Sequence[Sequence[str] | dict[str, Any]],
    *,
    type: str = "single_choice",  # noqa: A002 -- the domain's word
    subject: Subject | None = None,
) -> list[UUID]:
    """Questions with options a to d, keyed as said: `["b"]`, or a whole key document."""
    subject = subject or await add_subject(uow)
    ids = []
    for number, given in enumerate(keys, start=1):
        key = given if isinstance(given, dict) else {"accepted": [list(given)]}
        kind = "numeric" if "value" in key else type
        question = Question(
            id=uuid7(),
            institute_id=DEFAULT_INSTITUTE_ID,
            subject_id=subject.id,
            fingerprint=uuid4().hex,
            status="active",
        )
        version = QuestionVersion(
            question_id=question.id,
            number=1,
            type=kind,
            text={"en": f"Question {number}", "hi": f"प्रश्न {number}"},
            options=[]
            if kind in ("numeric", "true_false")
            else [{"id": letter, "text": {"en": f"Option {letter}"}} for letter in LETTERS],
            key=key,
            explanation={"en": f"SECRET-EXPLANATION {number}"},
        )
        uow.session.add(question)
        await uow.session.flush()
        uow.session.add(version)
        ids.append(question.id)
    await uow.session.flush()
    return ids


async def publish_test(
    uow: UnitOfWork,
    keys: Sequence[Sequence[str] | dict[str, Any]] = (["a"], ["b"], ["c"]),
    *,
    type: str = "single_choice",  # noqa: A002 -- the domain's word
    **changes: Any,
) -> Made:
    """A published test of one section, by default three questions keyed a, b, c under UPSC's marking."""
    question_ids = await add_questions(uow, keys, type=type)
    marking = UPSC | changes.pop("marking", {})
    section = changes.pop("section", {})
    draft = TestDraft(
        title={"en": f"Mock {uuid4().hex[:8]}"},
        kind=changes.pop("kind", "full"),
        duration_seconds=changes.pop("duration_seconds", 600),
        marking=marking,
        sections=changes.pop(
            "sections", [SectionDraft(name={"en": "Paper"}, question_ids=question_ids, **section)]
        ),
        **changes,
    )
    author = operator()
    test = await tests.create(uow, author, draft)
    await tests.publish(uow, author, test.id, test.created_at)
    return Made(
        test.id, question_ids, [key if isinstance(key, dict) else {"accepted": [list(key)]} for key in keys]
    )
