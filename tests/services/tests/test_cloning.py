"""Cloning: everything of a draft but its ids."""

from datetime import UTC, datetime
from typing import Any

import pytest

from app import models
from app.core.errors import NotFound
from app.core.ids import uuid7
from app.models import DEFAULT_INSTITUTE_ID
from app.services import tests
from app.services.tests import SectionDraft
from app.services.unit_of_work import UnitOfWork
from app.services.users import operator
from tests.builders.content import UPSC, add_questions, add_subject

AUTHOR = operator()
ITS_OWN = {"id", "title", "status", "paper_version", "created_by", "created_at", "updated_at"}


async def whole_test(uow: UnitOfWork, title: dict[str, str]) -> models.Test:
    """A test that uses whatever a draft has."""
    subject = await add_subject(uow)
    first, second, third = await add_questions(uow, [["a"], ["b"], ["c"]])
    draft = tests.TestDraft(
        title=title,
        description={"en": "All of it"},
        kind="sectional",
        subject_id=subject.id,
        duration_seconds=900,
        languages=["en", "hi"],
        marking=UPSC,
        sections=[
            SectionDraft(
                {"en": "A", "hi": "क"},
                [second, first],
                duration_seconds=300,
                locked=False,
                choose=1,
                marking={"correct": "3"},
                question_marking={first: {"incorrect": "-1"}},
            ),
            SectionDraft({"en": "B"}, [third]),
        ],
        shuffle={"questions": True, "options": True},
        attempts_allowed=2,
        review="after_release",
        access="enrolled",
        available_from=datetime(2026, 6, 1, tzinfo=UTC),
        available_until=datetime(2026, 7, 1, tzinfo=UTC),
    )
    return await tests.create(uow, AUTHOR, draft)


def contents(test: models.Test) -> dict[str, Any]:
    """All columns but the test's own, and its sections without their ids."""
    columns = {column.key for column in models.Test.__table__.columns} - ITS_OWN
    sections = [
        (
            section.name,
            section.duration_seconds,
            section.locked,
            section.choose,
            section.marking,
            [(place.question_id, place.marking) for place in section.questions],
        )
        for section in test.sections
    ]
    return {name: getattr(test, name) for name in columns} | {"sections": sections}


class TestClone:
    async def test_all_is_equal_but_ids_and_title(self, uow: UnitOfWork) -> None:
        original = await whole_test(uow, {"en": "Mock", "hi": "मॉक"})
        clone = await tests.clone(uow, AUTHOR, original.id)
        assert contents(clone) == contents(original)
        assert clone.title == {"en": "Mock (copy)", "hi": "मॉक (प्रतिलिपि)"}
        assert clone.id != original.id
        assert not {section.id for section in clone.sections} & {section.id for section in original.sections}

    async def test_of_a_published_test_it_is_a_draft_by_whom_cloned_it(self, uow: UnitOfWork) -> None:
        original = await whole_test(uow, {"en": "Mock", "hi": "मॉक"})
        await tests.publish(uow, AUTHOR, original.id, datetime(2026, 6, 7, tzinfo=UTC))
        clone = await tests.clone(uow, AUTHOR, original.id)
        assert (clone.status, clone.paper_version, clone.created_by) == ("draft", None, AUTHOR.author_id)
        assert (original.status, original.paper_version) == ("published", 1)

    async def test_they_live_apart(self, uow: UnitOfWork) -> None:
        original = await whole_test(uow, {"en": "Mock", "hi": "मॉक"})
        clone = await tests.clone(uow, AUTHOR, original.id)
        await tests.change(uow, AUTHOR, clone.id, tests.TestUpdate(sections=[], duration_seconds=60))
        untouched = await uow.tests.draft(DEFAULT_INSTITUTE_ID, original.id)
        assert (len(untouched.sections), untouched.duration_seconds) == (2, 900)

    async def test_a_title_stays_within_what_a_title_may_be(self, uow: UnitOfWork) -> None:
        original = await whole_test(uow, {"en": "M" * 300, "ta": "மாதிரி"})
        clone = await tests.clone(uow, AUTHOR, original.id)
        assert len(clone.title["en"]) == 300
        assert clone.title["en"].endswith("MM (copy)")
        assert clone.title["ta"] == "மாதிரி (copy)"

    async def test_what_is_not_there(self, uow: UnitOfWork) -> None:
        with pytest.raises(NotFound):
            await tests.clone(uow, AUTHOR, uuid7())
