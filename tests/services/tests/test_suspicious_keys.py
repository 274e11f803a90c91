"""Keys that an author should look at before a test is published."""

from dataclasses import replace

from app.models import Role
from app.services import tests
from app.services.tests import SectionDraft
from app.services.unit_of_work import UnitOfWork
from app.services.users import operator
from tests.builders.content import UPSC, add_questions


async def warnings_of(uow: UnitOfWork, *batches: str) -> list[tuple[str, str]]:
    """The warnings of a test; batches of keys, such as `abc`, are questions with the texts 1, 2, 3."""
    sections = [
        SectionDraft(name={"en": f"Part {number}"}, question_ids=await add_questions(uow, list(keys)))
        for number, keys in enumerate(batches)
    ]
    draft = tests.TestDraft(
        title={"en": "Mock"}, kind="full", duration_seconds=600, marking=UPSC, sections=sections
    )
    test = await tests.create(uow, operator(), draft)
    previewed = await tests.preview(uow, operator(), test.id)
    published = await tests.publish(uow, operator(), test.id, test.created_at)
    assert list(previewed.warnings) == list(published.warnings)
    listed = await tests.find(uow, operator(), test.id, test.created_at)
    assert list(await tests.key_warnings(uow, operator(), listed)) == list(published.warnings)
    proctor = replace(operator(), role=Role.PROCTOR)
    assert await tests.key_warnings(uow, proctor, listed) == []
    return [(warning.field, warning.message) for warning in published.warnings]


class TestSuspiciousKeys:
    async def test_equal_questions_with_other_keys(self, uow: UnitOfWork) -> None:
        ((field, message),) = await warnings_of(uow, "ab", "ac")
        assert field == "sections.1.question_ids.1"
        assert message == (
            'The questions 2 and 4 have the same text and options, but the keys "Option b" and "Option c".'
            " Correct one of them."
        )

    async def test_one_letter_for_all(self, uow: UnitOfWork) -> None:
        assert await warnings_of(uow, "a" * 12) == [
            ("sections", 'All 12 keys are "a". Compare them with the right answers.')
        ]

    async def test_few_equal_keys_and_different_ones(self, uow: UnitOfWork) -> None:
        assert await warnings_of(uow, "a" * 11) == []
        assert await warnings_of(uow, "aaaaaaaaaaab") == []
