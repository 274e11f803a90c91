"""A test of the questions of a sheet, with the sections, marks and languages of its rows."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from app.core.errors import AlreadyExists
from app.models import LocalizedText
from app.sentences import Sentence
from app.services.tests.drafts import Marking, SectionDraft, TestDraft
from app.services.unit_of_work import Reading
from app.services.users import Principal
from app.sheets.reports import ImportReport, ItemInTest


async def check_title(reads: Reading, author: Principal, title: str) -> None:
    """Raise AlreadyExists if a test that is not archived has this title.

    A repeated import would otherwise publish a second test.
    """
    other = await reads.tests.with_title(author.institute_id, title)
    if other is not None:
        template = (
            'There is a test "{title}" already ({test_id}). Choose another title, or archive that test first.'
        )
        raise AlreadyExists(Sentence(template, title=title, test_id=other))


def draft_of_sheet(report: ImportReport, *, title: str, **fields: Any) -> TestDraft:
    """The draft of a test with all imported questions. Sections are in the order of their first question.

    Questions without a section are in one that has the name of the test. Titles and names are the same text
    in each language of the sheet: a test without a title in its first language is not published.
    """
    said = {language for item in report.items_in_test for language in item.languages}
    languages = sorted(said, key=lambda language: (language != "en", language))
    names: dict[str | None, list[tuple[UUID, ItemInTest]]] = {}
    for question_id, item in zip(report.item_ids, report.items_in_test, strict=True):
        names.setdefault(item.section, []).append((question_id, item))
    sections = [
        SectionDraft(
            name=_in_each(languages, name or title),
            question_ids=[question_id for question_id, _ in found],
            question_marking={
                question_id: marking for question_id, item in found if (marking := _marking(item))
            },
        )
        for name, found in names.items()
    ]
    return TestDraft(title=_in_each(languages, title), sections=sections, languages=languages, **fields)


def _in_each(languages: Sequence[str], text: str) -> LocalizedText:
    return dict.fromkeys(languages, text)


def _marking(item: ItemInTest) -> Marking:
    said = {"correct": item.marks, "incorrect": item.negative_marks}
    return {name: marks for name, marks in said.items() if marks is not None}
