"""A sheet with twenty planted mistakes: twenty messages with row, field and mend, nothing imported."""

import csv
import io
from dataclasses import replace
from uuid import uuid4

import pytest
from sqlalchemy import func, select

from app.models import Institute, Question
from app.services import questions
from app.services.unit_of_work import UnitOfWork
from app.services.users import operator
from tests.builders.workbooks import workbook

RIGHT = {
    "external_id": "",
    "number": "",
    "subject": "Polity",
    "type": "",
    "question": "",
    "option_a": "One",
    "option_b": "Two",
    "option_c": "Three",
    "option_d": "Four",
    "key": "b",
    "status": "",
    "difficulty": "easy",
    "tags": "x, y",
    "source": "Mock",
    "passage_id": "",
}

# What is planted, the field that is named, and words of the mend.
PLANTED: list[tuple[dict[str, str], str, str]] = [
    ({"key": "e"}, "key", "Its options: a, b, c, d"),
    ({"key": ""}, "key", "Only a draft may have no key"),
    ({"key": "b,d"}, "key", '"b|d" if each'),
    ({"key": "bd", "type": "single_choice"}, "key", "is one option"),
    ({"key": "B-"}, "key", 'Write "b"'),
    ({"question": " "}, "question", "no text"),
    ({"option_b": ""}, "option_b", "empty, but option_d is not"),
    ({"option_b": "", "option_c": "", "option_d": "", "key": "a"}, "option_a", "at least two options"),
    ({"type": "essay"}, "type", "single_choice"),
    ({"type": "numeric", "key": "3.14"}, "option_a", "has no options"),
    ({"status": "published"}, "status", "draft, active, retired"),
    ({"difficulty": "tough"}, "difficulty", "easy, medium, hard"),
    ({"number": "4a"}, "number", "whole number"),
    ({"number": "-4"}, "number", "whole number"),
    ({"subject": ""}, "subject", "no subject"),
    ({"tags": "t" * 51}, "tags", "50 characters"),
    ({"tags": ",".join(f"t{number}" for number in range(21))}, "tags", "At most 20 tags".lower()),
    ({"source": "s" * 301}, "source", "at most 300"),
    ({"option_c": "o" * 20_001}, "option_c", "at most 20,000"),
    ({"external_id": "e" * 201}, "external_id", "at most 200"),
]


def rows() -> list[dict[str, str]]:
    """A right row before each wrong one."""
    made = []
    for number, (planted, _, _) in enumerate(PLANTED):
        made.append(RIGHT | {"question": f"Right {number}?"})
        made.append(RIGHT | {"question": f"Wrong {number}?"} | planted)
    return made


def as_csv() -> bytes:
    out = io.StringIO()
    writer = csv.DictWriter(out, list(RIGHT))
    writer.writeheader()
    writer.writerows(rows())
    return out.getvalue().encode()


def as_xlsx() -> bytes:
    return workbook(list(RIGHT), *(list(row.values()) for row in rows()))


@pytest.mark.parametrize("file", [as_csv, as_xlsx])
async def test_twenty_mistakes_get_twenty_messages(uow: UnitOfWork, file: object) -> None:
    institute = Institute(slug=uuid4().hex, name="Planted")
    uow.session.add(institute)
    await uow.session.flush()
    author = replace(operator(), institute_id=institute.id)
    assert callable(file)
    report = await questions.import_questions(uow, author, file())
    told = [(error.row, error.field) for error in report.errors]
    assert told == [(2 * number + 3, field) for number, (_, field, _) in enumerate(PLANTED)]
    for error, (_, _, mend) in zip(report.errors, PLANTED, strict=True):
        assert mend in error.message
    assert (report.created, report.updated, report.unchanged) == (0, 0, 0)
    count = select(func.count()).where(Question.institute_id == institute.id)
    assert await uow.session.scalar(count) == 0
