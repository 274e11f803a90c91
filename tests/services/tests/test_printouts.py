"""Printouts: which paper is printed, and that no key is in it."""

from datetime import UTC, datetime
from io import BytesIO
from typing import Any
from uuid import UUID

import pytest
from pypdf import PdfReader
from pypdf.generic import StreamObject
from sqlalchemy import update

from app import models
from app.core.errors import Invalid, NotAvailable, NotFound, NotPublishable
from app.models import DEFAULT_INSTITUTE_ID, QuestionVersion
from app.services import questions, tests
from app.services.components import Components
from app.services.questions import media
from app.services.tests import SectionDraft
from app.services.unit_of_work import UnitOfWork
from app.services.users import operator
from tests.builders.content import UPSC, PublishedTest, add_questions, publish_test
from tests.builders.images import encoded, halves

NOW = datetime(2026, 6, 7, 4, 0, tzinfo=UTC)
AUTHOR = operator()
NUMBER = "271828.1828"
KEYS: tuple[Any, ...] = (["b"], ["c"], {"value": NUMBER, "tolerance": "0.125"}, {"dropped": True})


async def printed(uow: UnitOfWork, parts: Components, test_id: UUID, **asked: Any) -> bytes:
    wanted = {"part": "paper", "language": "en", "version": None} | asked
    printout = await tests.printout(uow, AUTHOR, test_id, **wanted)
    return await tests.pdf(printout, parts.media, parts.files, AUTHOR, NOW)


def everything_in(content: bytes) -> str:
    """Every text of a PDF: pages, metadata, outlines, and all that its objects and streams say."""
    reader = PdfReader(BytesIO(content))
    pages = [page.extract_text() for page in reader.pages]
    numbers = {*reader.xref[0], *reader.xref_objStm}
    objects = [reader.get_object(number) for number in numbers if number]
    streams = [each.get_data().decode("latin-1") for each in objects if isinstance(each, StreamObject)]
    return "\n".join([*pages, repr(reader.metadata), *map(repr, objects), *streams])


SHEET = """external_id,question_hi,question,option_a,option_b,option_c,option_d,key
1,"यदि a*b = a + b, तो 2*(3*4) = ?","If a*b = a + b and p*q = pq, then 2*(3*4) = ?",9,2*3*4,__init__,* and ?,a
2,"RGB का रूप ______, ______ है।","RGB stands for ______, ______,______.",र्कि,ड़,द्ध्य,क्\u200cष,a
3,पथ C:\\_new,"Path C:\\_new\\*.txt, 100% of #1 & $5 @ 3~4 {x} <b>y</b> `z` is $\\frac{1}{2}$",1,2,3,4,c
"""


class TestFromSheetToPaper:
    async def test_what_was_typed_is_read(self, uow: UnitOfWork, parts: Components) -> None:
        report = await questions.import_questions(
            uow, AUTHOR, SHEET.encode(), subject="Signs", files=parts.files, for_test=True
        )
        sheet = tests.draft_of_sheet(report, title="Typed", kind="full", duration_seconds=600, marking=UPSC)
        test_id = (await tests.create(uow, AUTHOR, sheet)).id
        await tests.publish(uow, AUTHOR, test_id, NOW)
        english, hindi = [await self.read(uow, parts, test_id, language) for language in ("en", "hi")]
        for typed in (
            "Ifa*b=a+bandp*q=pq,then2*(3*4)=?", "2*3*4", "__init__", "*and?", "______,______,______.",
            r"PathC:\_new\*.txt,100%of#1&$5@3~4{x}<b>y</b>`z`is",
        ):  # fmt: skip
            assert typed in english
        assert "frac" not in english
        for typed in ("a*b=a+b", "2*(3*4)=?", "______,______", r"C:\_new"):
            assert typed in hindi

    async def read(self, uow: UnitOfWork, parts: Components, test_id: UUID, language: str) -> str:
        """The text of the first page without its spaces: a line breaks anywhere."""
        reader = PdfReader(BytesIO(await printed(uow, parts, test_id, language=language)))
        return "".join(reader.pages[0].extract_text().split())


class TestPaper:
    async def test_it_has_all_questions_and_no_key(self, uow: UnitOfWork, parts: Components) -> None:
        made = await publish_test(uow, KEYS)
        text = everything_in(await printed(uow, parts, made.id))
        assert all(f"Question {number}" in text for number in (1, 2, 3, 4))
        for secret in ("SECRET-EXPLANATION", "accepted", NUMBER, "0.125", "dropped"):
            assert secret not in text

    async def test_another_key_gives_the_same_bytes(self, uow: UnitOfWork, parts: Components) -> None:
        made = await publish_test(uow, [["a"], ["b"]])
        before = await printed(uow, parts, made.id, version="draft")
        statement = update(QuestionVersion).where(QuestionVersion.question_id.in_(made.question_ids))
        await uow.session.execute(
            statement.values(key={"accepted": [["d"]]}, explanation={"en": "Otherwise."})
        )
        uow.session.expire_all()
        assert await printed(uow, parts, made.id, version="draft") == before

    async def test_with_its_images(self, uow: UnitOfWork, parts: Components) -> None:
        kept = await media.upload(uow, parts.media, AUTHOR, encoded(halves(size=(64, 32))))
        ids = await add_questions(uow, [["a"]])
        statement = update(QuestionVersion).where(QuestionVersion.question_id == ids[0])
        await uow.session.execute(statement.values(media=[str(kept.media.id)]))
        test = await draft(uow, ids)
        reader = PdfReader(BytesIO(await printed(uow, parts, test.id, version="draft")))
        [image] = reader.pages[0].images
        assert image.image is not None
        assert image.image.size == (64, 32)


class TestSolutions:
    async def test_key_and_explanations(self, uow: UnitOfWork, parts: Components) -> None:
        made = await publish_test(uow, KEYS)
        text = everything_in(await printed(uow, parts, made.id, part="solutions"))
        for shown in ("SECRET-EXPLANATION 1", "SECRET-EXPLANATION 4", f"{NUMBER} ± 0.125", "dropped", "(c)"):
            assert shown in text

    async def test_a_character_of_a_language_that_is_not_printed_is_no_obstacle(
        self, uow: UnitOfWork, parts: Components
    ) -> None:
        """Without Hindi, the print in Hindi has the text in the first language of the paper."""
        made = await publish_test(uow, [["a"]], languages=["en", "hi", "ur"])
        statement = update(QuestionVersion).where(QuestionVersion.question_id.in_(made.question_ids))
        explained = {"en": "It follows from Article 1.", "ur": "کیوں"}
        await uow.session.execute(statement.values(explanation=explained))
        uow.session.expire_all()
        content = await printed(uow, parts, made.id, part="solutions", language="hi", version="draft")
        assert "It follows from Article 1." in everything_in(content)


class TestVersion:
    async def test_the_published_one_an_older_one_or_the_draft(self, uow: UnitOfWork) -> None:
        made = await publish_test(uow)
        await tests.publish(uow, AUTHOR, made.id, NOW)
        await tests.change(uow, AUTHOR, made.id, tests.TestUpdate(title={"en": "Changed"}))
        footers = [
            (await tests.printout(uow, AUTHOR, made.id, "paper", "en", version))
            .job.compose()
            .footer.partition(" · ")
            for version in (None, 1, "draft")
        ]
        assert [footer[2] for footer in footers] == ["Version 2", "Version 1", "Draft, not published"]
        assert [footer[0] == "Changed" for footer in footers] == [False, False, True]

    async def test_one_that_is_not_there(self, uow: UnitOfWork) -> None:
        made = await publish_test(uow)
        with pytest.raises(NotFound):
            await tests.printout(uow, AUTHOR, made.id, "paper", "en", 2)

    async def test_a_test_that_was_never_published(self, uow: UnitOfWork) -> None:
        test = await draft(uow, await add_questions(uow, [["a"]]))
        with pytest.raises(NotAvailable):
            await tests.printout(uow, AUTHOR, test.id, "paper", "en", None)

    async def test_a_draft_that_is_no_whole_paper(self, uow: UnitOfWork) -> None:
        with pytest.raises(NotPublishable):
            await tests.printout(uow, AUTHOR, (await draft(uow, [])).id, "paper", "en", "draft")


class TestLanguage:
    async def test_only_those_of_the_paper(self, uow: UnitOfWork) -> None:
        made = await publish_test(uow)
        with pytest.raises(Invalid) as raised:
            await tests.printout(uow, AUTHOR, made.id, "paper", "hi", None)
        assert [error.field for error in raised.value.errors] == ["language"]

    async def test_the_name_of_the_file(self, uow: UnitOfWork) -> None:
        made: PublishedTest = await publish_test(uow, languages=["en", "hi"])
        printout = await tests.printout(uow, AUTHOR, made.id, "solutions", "hi", None)
        assert (printout.file_name, printout.job.language) == ("solutions-v1-hi.pdf", "hi")


async def draft(uow: UnitOfWork, question_ids: list[UUID]) -> models.Test:
    sections = [SectionDraft({"en": "Paper"}, question_ids)] if question_ids else []
    test = await tests.create(uow, AUTHOR, tests.TestDraft({"en": "Mock"}, "full", 600, UPSC, sections))
    return await uow.tests.draft(DEFAULT_INSTITUTE_ID, test.id)
