"""The template of a sheet of questions: filled in as it is, it imports, in both languages."""

import csv
import io
from uuid import uuid4

import pytest
from openpyxl import load_workbook

from app.services import questions
from app.services.questions import TemplateLanguage, template, template_hindi
from app.services.questions.exports import header_of
from app.services.questions.header_names import column_called
from app.services.unit_of_work import UnitOfWork
from app.services.users import operator
from app.sheets.writers import SheetFormat

LANGUAGES: list[TemplateLanguage] = ["en", "hi"]


def filled_xlsx(language: TemplateLanguage) -> bytes:
    """The workbook with its examples typed below the header."""
    book = load_workbook(io.BytesIO(template(SheetFormat.XLSX, language)))
    for row in book["examples"].iter_rows(min_row=2):
        for cell in row:
            book["questions"][cell.coordinate].value = cell.value
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def filled_csv(language: TemplateLanguage) -> bytes:
    """The CSV with the examples of the workbook."""
    examples = load_workbook(io.BytesIO(template(SheetFormat.XLSX, language)))["examples"]
    out = io.StringIO(newline="")
    rows = ([cell or "" for cell in row] for row in examples.iter_rows(min_row=2, values_only=True))
    csv.writer(out).writerows(rows)
    return template(SheetFormat.CSV, language) + out.getvalue().encode()


@pytest.mark.parametrize("fill", [filled_xlsx, filled_csv])
async def test_both_languages_give_the_same_questions(uow: UnitOfWork, fill: object) -> None:
    subject, reports = uuid4().hex, []
    for language in LANGUAGES:
        file = fill(language)  # type: ignore[operator]
        reports.append(await questions.import_questions(uow, operator(), file, subject=subject))
    for report in reports:
        assert (report.errors, report.warnings) == ([], [])
    assert [(report.created, report.unchanged) for report in reports] == [(2, 0), (0, 2)]


def test_an_import_knows_each_hindi_header() -> None:
    assert {column_called(header): header for header in template_hindi.HEADERS.values()} == (
        template_hindi.HEADERS
    )
    assert template_hindi.HEADERS.keys() == {*header_of(("hi",))}


@pytest.mark.parametrize("language", LANGUAGES)
def test_lists_of_choices(language: TemplateLanguage) -> None:
    sheet = load_workbook(io.BytesIO(template(SheetFormat.XLSX, language)))["questions"]
    header = {cell.value: cell.column_letter for cell in sheet[1]}
    name = {"en": "difficulty", "hi": "कठिनाई"}[language]
    [choices] = [
        each.formula1
        for each in sheet.data_validations.dataValidation
        if str(each.sqref).startswith(f"{header[name]}2:")
    ]
    assert choices == '"easy,medium,hard"'
