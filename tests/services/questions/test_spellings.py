"""A word in two spellings is found by each of them, and stays as it was typed."""

from dataclasses import replace
from uuid import uuid4

import pytest

from app.models import Institute
from app.repositories.base import PageRequest
from app.repositories.questions import QuestionFilter
from app.services import questions
from app.services.unit_of_work import UnitOfWork
from app.services.users import operator

# With a joiner, U+2011 and a composed letter with nukta; without them.
JOINED = "स\u094d\u200dथान पर कौन\u2011सा प\u095dाई"
PLAIN = "स\u094dथान पर कौन-सा प\u0922\u093cाई"


@pytest.mark.parametrize("word", [0, 2, 3])
@pytest.mark.parametrize("spelling", [JOINED, PLAIN])
async def test_both_are_found(uow: UnitOfWork, word: int, spelling: str) -> None:
    institute = Institute(slug=uuid4().hex, name="Empty")
    uow.session.add(institute)
    await uow.session.flush()
    author = replace(operator(), institute_id=institute.id)
    sheet = f"question_hi,option_a,option_b,key\nएक {JOINED},x,y,a\nदो {PLAIN},x,y,a\n"
    report = await questions.import_questions(uow, author, sheet.encode(), subject="Hindi")
    assert report.created == 2
    for query in (spelling.split()[word], spelling.split()[word][:-1]):
        found = await questions.page(uow, author, QuestionFilter(query=query), PageRequest())
        assert [one.question.version.text["hi"][3:] for one in found.items] == [JOINED, PLAIN]
