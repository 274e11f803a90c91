"""A bank exported in a format of another program, and imported into an empty one: equal."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from app.core.errors import Invalid
from app.core.storage import Storage
from app.interchange.formats import FormatName
from app.models import Institute, Question
from app.repositories.base import PageRequest
from app.repositories.questions import QuestionFilter
from app.services import questions
from app.services.questions import FileOptions, ImagesZip, media, passages
from app.services.questions.content import content_of
from app.services.unit_of_work import UnitOfWork
from app.services.users import Principal, operator
from tests.builders.images import decoded, new_image
from tests.services.questions.zip_files import zipped

HEADER = (
    "number,external_id,type,subject,chapter,question,question_hi,option_a,option_a_hi,option_b,option_b_hi,"
    "left_1,left_1_hi,left_2,left_2_hi,key,fixed_options,status,explanation,explanation_hi,difficulty,tags,"
    "source,image"
)
RIVER = (
    '1,q1,,Geography,Rivers,"Consider:\n1. *a*\n2. b<c\n\n**Which**?",कौन सी?,x & y,क,None,ख,,,,,b,b,,'
    'Long,लंबी,hard,"maps, rivers",CSE 2019,map.png'
)
ROWS = (
    RIVER,
    "2,q2,multiple_choice,Geography,,Which of $x^2$?,कौन?,x,क,y,ख,,,,,ab,,,,,,,CSE 2019,",
    "3,q3,true_false,Polity,Rights,It is so,ऐसा है,,,,,,,,,true,,retired,,,,,,",
    "4,q4,numeric,Polity,Rights,Pi?,पाई?,,,,,,,,,3.14±0.01,,,,,,,,",
    "5,q5,numeric,Polity,Rights,How many?,कितने?,,,,,,,,,3.10..3.2|4,,,,,,,,",
    "6,q6,text,Polity,,Capital?,राजधानी?,,,,,,,,,New Delhi|2*3,,,,,,,,",
    "7,q7,matching,Polity,,Match,मिलान,north,उ,south,द,Ganga,गंगा,Kaveri,कावेरी,1-b 2-a,,,,,,,,",
    "8,,descriptive,Polity,,Discuss,चर्चा,,,,,,,,,,,,,,easy,,CSE 2020,",
)


async def empty_bank(uow: UnitOfWork) -> Principal:
    """An author of an institute whose bank is empty."""
    institute = Institute(slug=uuid4().hex, name="Empty")
    uow.session.add(institute)
    await uow.session.flush()
    return replace(operator(), institute_id=institute.id)


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    return Storage((tmp_path / "media").as_uri())


async def filled_bank(uow: UnitOfWork, storage: Storage) -> Principal:
    """An author with a question of each type."""
    author = await empty_bank(uow)
    images = ImagesZip(zipped({"map.png": new_image()}), storage)
    file = "\n".join([HEADER, *ROWS]).encode()
    report = await questions.import_questions(uow, author, file, images=images)
    assert (report.created, list(report.errors)) == (len(ROWS), [])
    return author


async def everything(uow: UnitOfWork, author: Principal) -> Sequence[Question]:
    page = await questions.page(uow, author, QuestionFilter(), PageRequest(50))
    return [shown.question for shown in page.items]


async def said(uow: UnitOfWork, storage: Storage, author: Principal) -> list[dict[str, Any]]:
    """What the questions of a bank say, with the pixels of their images."""
    result = []
    for question in await everything(uow, author):
        values = content_of(question.version).values()
        ids = [UUID(media_id) for media_id in values.pop("media")]
        images = await uow.media.existing(author.institute_id, ids)
        contents = [await media.content_of(storage, images[media_id]) for media_id in ids]
        result.append(
            {
                **values,
                "pixels": [decoded(content).tobytes() for content in contents],
                "subject": question.subject.name,
                "chapter": question.chapter.name if question.chapter else None,
                "external_id": question.external_id,
                "status": question.status,
                "source": (question.source, question.source_number),
            }
        )
    return result


async def exported(
    uow: UnitOfWork, storage: Storage, author: Principal, name: FormatName, **options: bool
) -> bytes:
    made = await questions.export_items(uow, author, QuestionFilter(), name, storage, **options)
    return made.export.file.read()


class TestRoundTrip:
    async def test_questions_of_the_earlier_type_of_ranges_keep_it(
        self, uow: UnitOfWork, storage: Storage
    ) -> None:
        author = await empty_bank(uow)
        sheet = (
            b"external_id,type,subject,question,key\nr1,ranges,Polity,How many?,3..4\nr2,ranges,Polity,Or?,5"
        )
        await questions.import_questions(uow, author, sheet)
        file = await exported(uow, storage, author, FormatName.MOODLE_XML)
        again = await questions.import_questions(uow, author, file, options=FileOptions(storage=storage))
        assert (again.unchanged, again.updated, again.created) == (2, 0, 0)
        # Another program has written a number with a tolerance, which is no key of that type.
        changed = b"// [id:r1]\n::r1::How many?{#3.5:0.5}"
        await questions.import_questions(
            uow,
            author,
            changed,
            subject="Polity",
            options=FileOptions(FormatName.GIFT, storage=storage),
        )
        stored = {each.external_id: each.version for each in await everything(uow, author)}
        assert (stored["r1"].type, stored["r1"].key) == ("numeric", {"value": "3.5", "tolerance": "0.5"})
        assert stored["r2"].type == "ranges"

    @pytest.mark.parametrize(
        ("name", "read_as"),
        [
            (FormatName.MOODLE_XML, "moodle-xml"),
            (FormatName.QTI, "qti"),
            (FormatName.QTI_21, "qti"),
            (FormatName.QTI_30, "qti"),
        ],
    )
    async def test_with_images(
        self, uow: UnitOfWork, storage: Storage, name: FormatName, read_as: str
    ) -> None:
        author, other = await filled_bank(uow, storage), await empty_bank(uow)
        file = await exported(uow, storage, author, name)
        report = await questions.import_questions(uow, other, file, options=FileOptions(storage=storage))
        assert (report.format, report.created, list(report.errors)) == (read_as, len(ROWS), [])
        assert await said(uow, storage, other) == await said(uow, storage, author)
        again = await questions.import_questions(uow, author, file, options=FileOptions(storage=storage))
        assert (again.unchanged, list(again.warnings)) == (len(ROWS), [])

    async def test_gift_without_images(self, uow: UnitOfWork, storage: Storage) -> None:
        author, other = await filled_bank(uow, storage), await empty_bank(uow)
        with pytest.raises(Invalid, match="GIFT cannot express") as refused:
            await exported(uow, storage, author, FormatName.GIFT)
        first = (await everything(uow, author))[0]
        assert [error.question_id for error in refused.value.errors] == [first.id]
        file = await exported(uow, storage, author, FormatName.GIFT, leave_out_unsupported=True)
        report = await questions.import_questions(uow, other, file)
        assert (report.format, report.created, list(report.errors)) == ("gift", len(ROWS) - 1, [])
        assert await said(uow, storage, other) == (await said(uow, storage, author))[1:]
        again = await questions.import_questions(uow, author, file)
        assert (again.unchanged, list(again.warnings)) == (len(ROWS) - 1, [])


async def with_passages(uow: UnitOfWork, storage: Storage) -> Principal:
    """An author with three passages, two of which have one text and different images."""
    author = await empty_bank(uow)
    charts = [(await media.upload(uow, storage, author, new_image())).media.id for _ in range(2)]
    drafts = [
        *(passages.PassageDraft({"en": "Study the chart."}, [str(chart)]) for chart in charts),
        passages.PassageDraft({"en": "A *text*.", "hi": "एक पाठ।"}, external_id="T"),
    ]
    ids = [(await passages.create(uow, author, draft)).id for draft in drafts]
    rows = "\n".join(
        f"{number},Which is {number}?,x{number},y{number},a,{ids[number % 3] if number % 3 != 2 else 'T'}"
        for number in range(6)
    )
    file = f"number,question,option_a,option_b,key,passage_id\n{rows}\n".encode()
    report = await questions.import_questions(uow, author, file, subject="CSAT")
    assert (report.created, list(report.errors)) == (6, [])
    return author


async def said_by_passages(uow: UnitOfWork, storage: Storage, author: Principal) -> list[Any]:
    """What the passage of each question says, and a number by which equal ones are known."""
    found: list[Any] = []
    numbers: dict[UUID, int] = {}
    for question in await everything(uow, author):
        passage = await passages.find(uow, author, question.version.passage_id or uuid4())
        ids = [UUID(media_id) for media_id in passage.version.media]
        images = await uow.media.existing(author.institute_id, ids)
        pixels = [decoded(await media.content_of(storage, images[id_])).tobytes() for id_ in ids]
        number = numbers.setdefault(passage.id, len(numbers))
        found.append((number, passage.external_id, passage.version.text, pixels))
    return found


class TestPassages:
    @pytest.mark.parametrize("name", [FormatName.MOODLE_XML, FormatName.QTI, FormatName.QTI_30])
    async def test_round_trip(self, uow: UnitOfWork, storage: Storage, name: FormatName) -> None:
        author, other = await with_passages(uow, storage), await empty_bank(uow)
        file = await exported(uow, storage, author, name)
        report = await questions.import_questions(uow, other, file, options=FileOptions(storage=storage))
        assert (report.created, report.passages_created, list(report.errors)) == (6, 3, [])
        said = await said_by_passages(uow, storage, author)
        assert [number for number, *_ in said] == [0, 1, 2, 0, 1, 2]
        assert await said_by_passages(uow, storage, other) == said
        for each in (author, other):
            again = await questions.import_questions(uow, each, file, options=FileOptions(storage=storage))
            assert (again.unchanged, again.passages_created, again.passages_updated) == (6, 0, 0)

    @pytest.mark.parametrize("name", [FormatName.AIKEN, FormatName.GIFT, FormatName.QTI_21])
    async def test_formats_without_passages_name_the_questions(
        self, uow: UnitOfWork, storage: Storage, name: FormatName
    ) -> None:
        author = await with_passages(uow, storage)
        with pytest.raises(Invalid) as refused:
            await exported(uow, storage, author, name)
        messages = {str(error.message).partition(": ")[2] for error in refused.value.errors}
        assert any("it belongs to a passage, and" in message for message in messages)

    async def test_an_image_that_replaces_another_is_told(self, uow: UnitOfWork, storage: Storage) -> None:
        author, other = await with_passages(uow, storage), await empty_bank(uow)
        file = await exported(uow, storage, author, FormatName.QTI)
        options = FileOptions(storage=storage)
        await questions.import_questions(uow, other, file, options=options)
        named = await uow.questions.passages_named(other.institute_id, ["T"])
        image = await media.upload(uow, storage, other, new_image())
        await passages.revise(uow, other, named["T"], passages.PassageUpdate(media=[str(image.media.id)]))
        report = await questions.import_questions(uow, other, file, options=options)
        assert (report.unchanged, report.passages_updated) == (6, 1)
        assert [warning.message for warning in report.warnings] == [
            "the images of the passage change for all of its questions"
        ]


class TestImages:
    async def test_a_dry_run_stores_none(self, uow: UnitOfWork, storage: Storage) -> None:
        author, other = await filled_bank(uow, storage), await empty_bank(uow)
        file = await exported(uow, storage, author, FormatName.MOODLE_XML)
        options = FileOptions(storage=storage)
        report = await questions.import_questions(uow, other, file, options=options, dry_run=True)
        assert (report.created, list(report.errors)) == (len(ROWS), [])
        assert await everything(uow, other) == []

    async def test_what_is_no_image_is_an_error_of_its_question(
        self, uow: UnitOfWork, storage: Storage
    ) -> None:
        author = await empty_bank(uow)
        file = (
            b'<quiz><question type="essay"><questiontext format="html">'
            b"<text>Q &lt;img src='@@PLUGINFILE@@/x.png'/&gt;</text>"
            b'<file name="x.png" encoding="base64">AQID</file></questiontext></question></quiz>'
        )
        report = await questions.import_questions(
            uow, author, file, subject="Polity", options=FileOptions(storage=storage)
        )
        assert [(error.row, error.field) for error in report.errors] == [(1, "image")]
