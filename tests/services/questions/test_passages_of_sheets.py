"""The columns `passage` and `passage_<language>`: rows that have the same passage share one."""

from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select

from app.models import Institute, Passage
from app.repositories.questions import QuestionFilter
from app.services import questions
from app.services.questions import passages
from app.services.questions.columns import read_header
from app.services.questions.passages import PassageDraft
from app.services.unit_of_work import UnitOfWork
from app.services.users import Principal, operator
from app.sheets.reports import ImportReport
from app.sheets.writers import SheetFormat
from tests.builders.workbooks import workbook

RIVER = "The river rises in the hills.\n\nIt ends in a lake that has no outlet."
RIVER_HI = "नदी पहाड़ियों में निकलती है।"
TOWN = "The town has four gates and one bridge over the canal."
HEADER = ("Passage", "Passage (Hindi)", "Question", "A", "B", "Ans", "passage_id")


@pytest.fixture
async def author(uow: UnitOfWork) -> Principal:
    institute = Institute(slug=uuid4().hex, name="Empty")
    uow.session.add(institute)
    await uow.session.flush()
    return replace(operator(), institute_id=institute.id)


def row(number: int, passage: str = "", hindi: str = "", name: str = "") -> tuple[str, ...]:
    return passage, hindi, f"What is number {number}?", f"This {number}", f"That {number}", "a", name


async def bring(
    uow: UnitOfWork, author: Principal, *rows: tuple[str, ...], header: tuple[str, ...] = HEADER, **how: Any
) -> ImportReport:
    return await questions.import_questions(uow, author, workbook(header, *rows), subject="CSAT", **how)


def counts(report: ImportReport) -> tuple[int, ...]:
    assert list(report.errors) == []
    return (
        *(report.created, report.updated, report.unchanged),
        *(report.passages_created, report.passages_updated),
    )


def told(report: ImportReport) -> list[str]:
    return [f"{error.cell} {error.field}: {error.message}" for error in report.errors]


def warned(report: ImportReport) -> list[str]:
    return [f"{each.cell}: {each.message}" for each in report.warnings if "similar" not in each.message]


async def passages_of(uow: UnitOfWork, author: Principal, report: ImportReport) -> list[Any]:
    ids = [(await questions.find(uow, author, id_)).question.version.passage_id for id_ in report.item_ids]
    return [await passages.find(uow, author, id_) if id_ else None for id_ in ids]


async def stored(uow: UnitOfWork, author: Principal) -> int:
    statement = select(func.count()).where(Passage.institute_id == author.institute_id)
    return int((await uow.session.execute(statement)).scalar_one())


async def kept(uow: UnitOfWork, author: Principal, text: str, name: str | None = None) -> UUID:
    return (await passages.create(uow, author, PassageDraft({"en": text}, external_id=name))).id


class TestSharing:
    async def test_rows_with_the_same_passage_share_one(self, uow: UnitOfWork, author: Principal) -> None:
        rows = [row(1, RIVER, RIVER_HI), row(2, RIVER), row(3, TOWN), row(4, TOWN), row(5)]
        report = await bring(uow, author, *rows)
        assert counts(report) == (5, 0, 0, 2, 0)
        assert warned(report) == []
        river, same, town, other, none = await passages_of(uow, author, report)
        assert river is same
        assert town is other
        assert none is None
        assert river.version.text == {"en": RIVER, "hi": RIVER_HI}
        assert (town.version.text, town.external_id) == ({"en": TOWN}, None)

    async def test_a_second_time_changes_nothing(self, uow: UnitOfWork, author: Principal) -> None:
        rows = [row(1, RIVER), row(2, RIVER), row(3, TOWN, name="T"), row(4, name="T")]
        first = await bring(uow, author, *rows)
        second = await bring(uow, author, *rows)
        assert (counts(first), counts(second)) == ((4, 0, 0, 2, 0), (0, 0, 4, 0, 0))
        assert second.item_ids == first.item_ids
        assert await stored(uow, author) == 2

    async def test_a_dry_run_says_what_it_would_create(self, uow: UnitOfWork, author: Principal) -> None:
        assert counts(await bring(uow, author, row(1, RIVER), row(2, RIVER), dry_run=True)) == (2, 0, 0, 1, 0)
        assert await stored(uow, author) == 0

    async def test_a_name_joins_rows_of_which_one_has_the_text(
        self, uow: UnitOfWork, author: Principal
    ) -> None:
        report = await bring(uow, author, row(1, name="P-1"), row(2, RIVER, name="P-1"), row(3, RIVER))
        first, second, third = await passages_of(uow, author, report)
        assert first is second is third
        assert (first.external_id, first.version.text) == ("P-1", {"en": RIVER})

    async def test_one_question_with_two_passages_is_two_questions(
        self, uow: UnitOfWork, author: Principal
    ) -> None:
        report = await bring(uow, author, row(1, RIVER), row(1, TOWN), row(2, RIVER), row(2, TOWN))
        assert counts(report) == (4, 0, 0, 2, 0)

    async def test_a_passage_may_have_one_language_only(self, uow: UnitOfWork, author: Principal) -> None:
        report = await bring(uow, author, row(1, "", RIVER_HI), row(2, "", RIVER_HI))
        passage, _ = await passages_of(uow, author, report)
        assert passage.version.text == {"hi": RIVER_HI}

    async def test_a_passage_that_only_the_first_row_has_is_told(
        self, uow: UnitOfWork, author: Principal
    ) -> None:
        report = await bring(uow, author, row(1, RIVER), row(2), row(3))
        assert warned(report) == [
            "Sheet1!A2: only this row has the passage; if rows below belong to it, repeat it in each of them"
        ]

    async def test_a_merged_cell_is_the_passage_of_all_its_rows(
        self, uow: UnitOfWork, author: Principal
    ) -> None:
        def merge(sheet: Any) -> None:
            for area in ("A2:A4", "B2:B4"):
                sheet.merge_cells(area)

        rows = [row(1, RIVER, RIVER_HI), row(2), row(3), row(4)]
        file = workbook(HEADER, *rows, change=merge)
        report = await questions.import_questions(uow, author, file, subject="CSAT")
        assert counts(report) == (4, 0, 0, 1, 0)
        assert warned(report) == []
        first, second, third, fourth = await passages_of(uow, author, report)
        assert first is second is third
        assert first.version.text == {"en": RIVER, "hi": RIVER_HI}
        assert fourth is None

    async def test_other_merged_cells_are_errors(self, uow: UnitOfWork, author: Principal) -> None:
        def merge(sheet: Any) -> None:
            sheet.merge_cells("F2:F3")
            sheet.merge_cells("A2:B2")

        file = workbook(HEADER, row(1, RIVER), row(2), change=merge)
        report = await questions.import_questions(uow, author, file, subject="CSAT")
        assert told(report)[:2] == [
            "Sheet1!A2 passage: the cells A2:B2 are merged; split them",
            "Sheet1!F2 key: the cells F2:F3 are merged; split them",
        ]


class TestErrors:
    async def test_they_are_told_with_all_others(self, uow: UnitOfWork, author: Principal) -> None:
        wrong = (*row(3)[:5], "z", "")
        report = await bring(uow, author, row(1, RIVER, RIVER_HI), row(2, RIVER, "नदी।"), wrong)
        assert [error.cell for error in report.errors] == ["Sheet1!B3", "Sheet1!F4"]

    async def test_two_translations_of_one_passage(self, uow: UnitOfWork, author: Principal) -> None:
        report = await bring(uow, author, row(1, RIVER, RIVER_HI), row(2, RIVER, "नदी।"))
        message = (
            "Sheet1!B3 passage_hi: the passage of this row has another text in Sheet1!B2; write the same text"
            " in both cells, or leave one of them empty"
        )
        assert told(report) == [message]

    async def test_two_texts_under_one_name(self, uow: UnitOfWork, author: Principal) -> None:
        report = await bring(uow, author, row(1, RIVER, name="P"), row(2, TOWN, name="P"))
        assert [error.cell for error in report.errors] == ["Sheet1!A3"]

    async def test_a_name_without_any_text(self, uow: UnitOfWork, author: Principal) -> None:
        report = await bring(uow, author, row(1, name="Nowhere"))
        assert told(report) == [
            'Sheet1!G2 passage_id: there is no passage "Nowhere"; write its text too, or name another one'
        ]

    async def test_a_name_that_the_bank_has_for_another_passage(
        self, uow: UnitOfWork, author: Principal
    ) -> None:
        await kept(uow, author, TOWN, "1")
        report = await bring(uow, author, row(1, RIVER, name="1"), row(2, RIVER, name="1"))
        assert [(error.cell, error.field) for error in report.errors] == [("Sheet1!G2", "passage_id")]
        assert 'another passage "1", which begins "The town has' in report.errors[0].message


class TestPassagesOfTheBank:
    async def test_one_is_found_by_its_text(self, uow: UnitOfWork, author: Principal) -> None:
        id_ = await kept(uow, author, RIVER.replace("\n", "\r\n"))
        report = await bring(uow, author, row(1, RIVER), row(2, RIVER))
        assert counts(report) == (2, 0, 0, 0, 0)
        assert {passage and passage.id for passage in await passages_of(uow, author, report)} == {id_}

    async def test_a_changed_text_is_told_with_the_questions_that_it_concerns(
        self, uow: UnitOfWork, author: Principal
    ) -> None:
        first = await bring(uow, author, row(1, RIVER, name="P"), row(2, name="P"))
        better = RIVER.replace("hills", "high hills")
        second = await bring(uow, author, row(1, better, name="P"))
        assert counts(second) == (0, 0, 1, 0, 1)
        message = (
            "Sheet1!A2: the passage changes for all of its questions:"
            f' "{RIVER[:60]}" becomes "{better[:60]}"; other questions of the bank that have it: 1'
        )
        assert warned(second) == [message]
        passage, _ = await passages_of(uow, author, first)
        assert (passage.current_version, passage.version.text) == (2, {"en": better})

    async def test_a_translation_is_added_to_one(self, uow: UnitOfWork, author: Principal) -> None:
        await bring(uow, author, row(1, RIVER), row(2, RIVER))
        report = await bring(uow, author, row(1, RIVER, RIVER_HI), row(2, RIVER))
        assert counts(report) == (0, 0, 2, 0, 1)
        passage, _ = await passages_of(uow, author, report)
        assert passage.version.text == {"en": RIVER, "hi": RIVER_HI}

    async def test_a_sheet_without_the_columns_keeps_the_passages(
        self, uow: UnitOfWork, author: Principal
    ) -> None:
        header = (*HEADER[:-1], "external_id")
        first = await bring(uow, author, row(1, RIVER, name="X-1"), header=header)
        again = await bring(uow, author, row(1, name="X-1")[2:], header=header[2:])
        assert counts(again) == (0, 0, 1, 0, 0)
        assert (await passages_of(uow, author, first))[0] is not None

    async def test_an_exported_sheet_is_the_same_in_an_empty_bank(
        self, uow: UnitOfWork, author: Principal
    ) -> None:
        first = await bring(
            uow, author, row(1, RIVER, RIVER_HI), row(2, RIVER), row(3, TOWN, name="T"), row(4)
        )
        export = await questions.export(uow, author, QuestionFilter(), SheetFormat.XLSX)
        with export.file:
            file = export.file.read()
        again = await questions.import_questions(uow, author, file)
        assert (counts(again), warned(again)) == ((0, 0, 4, 0, 0), [])
        institute = Institute(slug=uuid4().hex, name="Other")
        uow.session.add(institute)
        await uow.session.flush()
        other = replace(author, institute_id=institute.id)
        moved = await questions.import_questions(uow, other, file)
        assert counts(moved) == (4, 0, 0, 2, 0)
        texts = [
            [passage and (passage.external_id, passage.version.text) for passage in found]
            for found in (await passages_of(uow, author, first), await passages_of(uow, other, moved))
        ]
        assert texts[0] == texts[1]
        assert counts(await questions.import_questions(uow, other, file)) == (0, 0, 4, 0, 0)


@pytest.mark.parametrize(
    ("header", "column"),
    [
        ("Passage", "passage"),
        ("गद्यांश", "passage_hi"),
        ("Passage in Hindi", "passage_hi"),
        ("Comprehension", "passage"),
        ("Passage No", "passage_id"),
        ("Question No", "number"),
        ("passage_ta", "passage_ta"),
    ],
)
def test_names_of_columns(header: str, column: str) -> None:
    columns, errors = read_header((header, "question", "key"), needs_subject=False)
    assert (columns.fields[0], errors) == (column, [])
