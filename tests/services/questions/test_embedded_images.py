"""Images that stand on a sheet are images of the questions in whose rows they stand."""

import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from openpyxl.drawing.image import Image as SheetImage

from app.core.storage import Storage
from app.models import Institute
from app.services import questions
from app.services.questions import FileOptions, media
from app.services.unit_of_work import UnitOfWork
from app.services.users import Principal, operator
from app.sheets.reports import ImportReport
from tests.builders.images import decoded, new_image
from tests.builders.workbooks import HEADER, RIVER, repacked, workbook

DESERT = ("Which is a desert?", "Thar", "Alps", "a")


@pytest.fixture
async def author(uow: UnitOfWork) -> Principal:
    institute = Institute(slug=uuid4().hex, name="Empty")
    uow.session.add(institute)
    await uow.session.flush()
    return replace(operator(), institute_id=institute.id)


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    return Storage((tmp_path / "media").as_uri())


def pasted(*places: tuple[str, bytes]) -> Callable[[Any], None]:
    def paste(sheet: Any) -> None:
        for cell, content in places:
            sheet.add_image(SheetImage(io.BytesIO(content)), cell)

    return paste


async def bring(
    uow: UnitOfWork, author: Principal, storage: Storage, file: bytes, **how: Any
) -> ImportReport:
    options = FileOptions(storage=storage)
    return await questions.import_questions(uow, author, file, subject="Maps", options=options, **how)


async def pixels_of(
    uow: UnitOfWork, author: Principal, storage: Storage, report: ImportReport
) -> list[list[bytes]]:
    """The pixels of the images of each question."""
    assert list(report.errors) == []
    found = []
    for id_ in report.item_ids:
        ids = [UUID(each) for each in (await questions.find(uow, author, id_)).question.version.media]
        images = await uow.media.existing(author.institute_id, ids)
        found.append([decoded(await media.content_of(storage, images[each])).tobytes() for each in ids])
    return found


async def test_each_is_an_image_of_the_question_of_its_row(
    uow: UnitOfWork, author: Principal, storage: Storage
) -> None:
    first, second, third = new_image(), new_image(), new_image()
    change = pasted(("A2", first), ("A2", second), ("F3", third))
    file = workbook(HEADER, RIVER, DESERT, change=change)
    report = await bring(uow, author, storage, file)
    expected = [[first, second], [third]]
    assert await pixels_of(uow, author, storage, report) == [
        [decoded(each).tobytes() for each in row] for row in expected
    ]
    assert list(report.warnings) == []
    again = await bring(uow, author, storage, file)
    assert (again.updated, again.unchanged) == (0, 2)
    without = await bring(uow, author, storage, workbook(HEADER, RIVER, DESERT))
    assert (without.updated, without.unchanged) == (0, 2)


async def test_a_dry_run_stores_none(
    uow: UnitOfWork, author: Principal, storage: Storage, tmp_path: Path
) -> None:
    file = workbook(HEADER, RIVER, change=pasted(("A2", new_image())))
    report = await bring(uow, author, storage, file, dry_run=True)
    assert (report.created, list(report.errors)) == (1, [])
    assert not list((tmp_path / "media").rglob("*.*"))


async def test_one_in_an_option_is_told(uow: UnitOfWork, author: Principal, storage: Storage) -> None:
    file = workbook(HEADER, RIVER, change=pasted(("B2", new_image())))
    (warning,) = (await bring(uow, author, storage, file)).warnings
    assert (warning.cell, warning.field) == ("Sheet1!B2", "option_a")
    assert "is shown with the question" in warning.message


async def test_one_that_stands_at_no_question_is_an_error(
    uow: UnitOfWork, author: Principal, storage: Storage
) -> None:
    file = workbook(HEADER, RIVER, change=pasted(("A5", new_image())))
    (error,) = (await bring(uow, author, storage, file)).errors
    assert (error.cell, "an image stands here (at A5)" in error.message) == ("Sheet1!5", True)


async def test_one_in_a_hidden_row_hides_no_error(
    uow: UnitOfWork, author: Principal, storage: Storage
) -> None:
    def change(sheet: Any) -> None:
        pasted(("A2", new_image()))(sheet)
        sheet.row_dimensions[2].hidden = True

    (error,) = (await bring(uow, author, storage, workbook(HEADER, RIVER, change=change))).errors
    assert "this row is hidden" in error.message


async def test_one_that_is_no_image_is_named(uow: UnitOfWork, author: Principal, storage: Storage) -> None:
    file = workbook(HEADER, RIVER, change=pasted(("C2", new_image())))
    damaged = repacked(file, change={"xl/media/image1.png": lambda _: b"no image"})
    (error,) = (await bring(uow, author, storage, damaged)).errors
    assert error.message.startswith('"C2.png": ')
