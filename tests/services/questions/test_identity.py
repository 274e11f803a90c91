"""Which question of the bank a row means, and what is said when its key or options are replaced."""

from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import update

from app.models import Institute, Question
from app.services import questions
from app.services.questions.content import older_fingerprint
from app.services.unit_of_work import UnitOfWork
from app.services.users import Principal, operator
from app.sheets.reports import ImportReport

STEM = "Which one of the following pairs is correctly matched?"
ACTS = (STEM, "Rowlatt Act : 1919", "Simon Commission : 1927", "b")
PLACES = (STEM, "Champaran : 1917", "Kheda : 1920", "a")


@pytest.fixture
async def author(uow: UnitOfWork) -> Principal:
    institute = Institute(slug=uuid4().hex, name="Empty")
    uow.session.add(institute)
    await uow.session.flush()
    return replace(operator(), institute_id=institute.id)


async def bring(
    uow: UnitOfWork, author: Principal, *rows: tuple[str, ...], named: bool = False
) -> ImportReport:
    header = ("question", "option_a", "option_b", "key", *(("external_id",) if named else ()))
    sheet = "\n".join(",".join(row) for row in (header, *rows))
    report = await questions.import_questions(uow, author, sheet.encode(), subject="History")
    assert list(report.errors) == []
    return report


def counts(report: ImportReport) -> tuple[int, int, int]:
    return report.created, report.updated, report.unchanged


def told(report: ImportReport) -> list[tuple[str, str]]:
    return [
        (warning.field, warning.message) for warning in report.warnings if "similar" not in warning.message
    ]


async def test_one_stem_with_other_options_is_another_question(uow: UnitOfWork, author: Principal) -> None:
    assert counts(await bring(uow, author, ACTS)) == (1, 0, 0)
    assert counts(await bring(uow, author, PLACES)) == (1, 0, 0)
    assert counts(await bring(uow, author, ACTS, PLACES)) == (0, 0, 2)


async def test_a_replaced_key_is_told(uow: UnitOfWork, author: Principal) -> None:
    await bring(uow, author, ACTS)
    report = await bring(uow, author, (*ACTS[:3], "a"))
    assert counts(report) == (0, 1, 0)
    assert told(report) == [("key", "the key changes from b to a")]
    assert report.warnings[0].related_id == report.item_ids[0]


async def test_replaced_options_are_told_with_both_versions(uow: UnitOfWork, author: Principal) -> None:
    await bring(uow, author, (*ACTS, "H-1"), named=True)
    report = await bring(uow, author, (*PLACES[:3], "b", "H-1"), named=True)
    ((field, message),) = told(report)
    assert field == "option_a"
    assert "Rowlatt Act : 1919 / Simon Commission : 1927 becomes Champaran : 1917 / Kheda : 1920" in message


async def test_one_changed_option_is_not_told(uow: UnitOfWork, author: Principal) -> None:
    await bring(uow, author, (*ACTS, "H-1"), named=True)
    report = await bring(uow, author, (STEM, "Rowlatt Act: 1919", *ACTS[2:], "H-1"), named=True)
    assert (counts(report), told(report)) == ((0, 1, 0), [])


async def test_a_question_with_the_older_hash_is_found(uow: UnitOfWork, author: Principal) -> None:
    made = await bring(uow, author, ACTS)
    question: Any = (await questions.find(uow, author, made.item_ids[0])).question
    older = older_fingerprint(question.subject_id, {"en": STEM})
    await uow.session.execute(update(Question).where(Question.id == question.id).values(fingerprint=older))
    assert counts(await bring(uow, author, ACTS)) == (0, 0, 1)
    assert counts(await bring(uow, author, PLACES)) == (1, 0, 0)


@pytest.mark.parametrize(("was", "said"), [("001", "1"), ("₹500", "500"), ("41%", "0.41")])
async def test_a_number_that_only_changes_its_form_is_told(
    uow: UnitOfWork, author: Principal, was: str, said: str
) -> None:
    await bring(uow, author, ("Which?", was, "another", "a", "N-1"), named=True)
    report = await bring(uow, author, ("Which?", said, "another", "a", "N-1"), named=True)
    ((field, message),) = told(report)
    assert (field, message.startswith(f'"{was}" becomes "{said}": the same number')) == ("option_a", True)
    assert report.warnings[0].cell == "B2"
