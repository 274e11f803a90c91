"""Clones tests."""

from uuid import UUID

from app.core.names import MAX_TITLE_LENGTH
from app.models import LocalizedText, Test, TestSection
from app.services import audit, embargo
from app.services.audit import AuditSubject
from app.services.tests import drafts
from app.services.tests.drafts import SectionDraft, TestDraft
from app.services.unit_of_work import UnitOfWork
from app.services.users import Principal

COPY = {"en": "copy", "hi": "प्रतिलिपि"}


async def clone(uow: UnitOfWork, author: Principal, test_id: UUID) -> Test:
    """Create a copy of a test's draft. Its title says that it is a copy."""
    test = await uow.tests.draft(author.institute_id, test_id)
    await embargo.check_visible(uow, author, test_id)
    copy = await drafts.create(uow, author, _draft_of(test))
    audit.record(uow, author, "clone", AuditSubject("test", copy.id), of=str(test.id))
    return copy


def _draft_of(test: Test) -> TestDraft:
    return TestDraft(
        title=_marked(test.title),
        description=test.description,
        kind=test.kind,
        subject_id=test.subject_id,
        duration_seconds=test.duration_seconds,
        languages=test.languages,
        marking=test.marking,
        sections=[_section_of(section) for section in test.sections],
        shuffle=test.shuffle,
        attempts_allowed=test.attempts_allowed,
        review=test.review,
        access=test.access,
        available_from=test.available_from,
        available_until=test.available_until,
        objections=test.objections,
    )


def _section_of(section: TestSection) -> SectionDraft:
    return SectionDraft(
        name=section.name,
        question_ids=[place.question_id for place in section.questions],
        duration_seconds=section.duration_seconds,
        locked=section.locked,
        choose=section.choose,
        minimum_marks=section.minimum_marks,
        marking=section.marking,
        question_marking={place.question_id: place.marking for place in section.questions if place.marking},
    )


def _marked(title: LocalizedText) -> LocalizedText:
    """The title with "(copy)" in each language, cut to the maximum length of a title."""
    marks = {language: f" ({COPY.get(language, COPY['en'])})" for language in title}
    return {
        language: text[: MAX_TITLE_LENGTH - len(marks[language])] + marks[language]
        for language, text in title.items()
    }
