"""Nobody of another institute reaches a row: every service of the bank, passages, images, tests and subjects.

The API knows one institute yet, so these are called as it would call them. A service that is in none of the
tables below fails `test_no_service_is_forgotten`.
"""

import csv
import inspect
import io
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from types import ModuleType
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

import app.repositories.tests as test_rows
from app.core.errors import AlreadyExists, DomainError, Invalid, NotFound
from app.interchange.formats import FormatName
from app.models import MappedSheet, Role, Subject
from app.repositories.base import PageRequest
from app.repositories.questions import QuestionFilter
from app.repositories.questions.passages import PassageFilter
from app.services import column_mappings, institutes, questions, subjects, tests
from app.services.components import Components
from app.services.questions import Content, Place, QuestionUpdate, media, passages
from app.services.questions.passages import PassageDraft, PassageUpdate
from app.services.subjects import ChapterDraft, ChapterUpdate, SubjectDraft, SubjectUpdate
from app.services.tests import SectionDraft
from app.services.unit_of_work import UnitOfWork
from app.services.users import Principal, operator
from app.sheets.writers import SheetFormat
from tests.builders.content import UPSC, add_subject
from tests.builders.images import new_image
from tests.builders.people import add_stranger

NOW = datetime(2026, 6, 7, 4, 0, tzinfo=UTC)
EVERYTHING = PageRequest(100)
SERVICES = (questions, passages, media, tests, subjects, column_mappings, institutes)
# They take an object that one of the others has found, or nothing of the database at all.
OF_WHAT_WAS_FOUND = {
    "tests.freeze",
    "media.encoded_anew",
    "media.content_of",
    "questions.versions",
    "passages.versions",
    "tests.pdf",
    "tests.with_formulas",
    "tests.refresh_popularity",
}


@dataclass(frozen=True)
class World:
    """What is ours, and who comes from elsewhere."""

    uow: UnitOfWork
    parts: Components
    stranger: Principal
    subject: Subject
    chapter_id: UUID
    question_id: UUID
    passage_id: UUID
    media_id: UUID
    test_id: UUID
    mapping_id: UUID
    image: bytes

    @property
    def draft(self) -> tests.TestDraft:
        """A test of our question."""
        section = SectionDraft(name={"en": "Paper"}, question_ids=[self.question_id])
        return tests.TestDraft({"en": "Mock"}, "full", 600, UPSC, [section])

    def content(self, **more: Any) -> Content:
        options = [{"id": name, "text": {"en": name}} for name in "ab"]
        return Content("single_choice", {"en": "Which?"}, options, {"accepted": [["a"]]}, **more)

    def sheet(self, **more: str) -> bytes:
        """Our question as a row, in our subject."""
        row = {"external_id": "OURS", "subject": self.subject.slug, "question": "Changed?", "key": "b"}
        row |= {"option_a": "x", "option_b": "y"} | more
        out = io.StringIO()
        writer = csv.DictWriter(out, list(row))
        writer.writeheader()
        writer.writerow(row)
        return out.getvalue().encode()


Call = Callable[[World], Awaitable[Any]]


@pytest.fixture
async def world(uow: UnitOfWork, parts: Components) -> World:
    author, image = operator(), new_image()
    subject = await add_subject(uow)
    chapter = await subjects.create_chapter(uow, author, subject.id, ChapterDraft("ours", {"en": "Ours"}))
    kept = await media.upload(uow, parts.media, author, image)
    passage = await passages.create(
        uow, author, PassageDraft({"en": "Read this."}, [str(kept.media.id)], "P")
    )
    world = World(
        uow=uow,
        parts=parts,
        stranger=await add_stranger(uow),
        subject=subject,
        chapter_id=chapter.id,
        question_id=UUID(int=0),
        passage_id=passage.id,
        media_id=kept.media.id,
        test_id=UUID(int=0),
        mapping_id=await _saved_mapping(uow),
        image=image,
    )
    place = Place(subject.id, chapter.id, external_id="OURS")
    content = world.content(passage_id=passage.id, media=[str(kept.media.id)])
    question = (await questions.create(uow, author, place, content)).question
    world = replace(world, question_id=question.id)
    test = await tests.create(uow, author, world.draft)
    await tests.publish(uow, author, test.id, NOW)
    return replace(world, test_id=test.id)


async def _saved_mapping(uow: UnitOfWork) -> UUID:
    institute_id, kind = operator().institute_id, MappedSheet.QUESTIONS
    await uow.column_mappings.put(institute_id, kind, uuid4().hex, ["ours"], {"Ours": "key"}, None)
    return (await uow.column_mappings.newest(institute_id, kind))[0].mapping.id


async def ours(world: World) -> list[str]:
    """Every row of ours, as it stands."""
    of_question, of_test = f"question_id = '{world.question_id}'", f"test_id = '{world.test_id}'"
    wanted = {
        "subjects": f"id = '{world.subject.id}'",
        "chapters": f"subject_id = '{world.subject.id}'",
        "questions": f"id = '{world.question_id}'",
        "question_versions": of_question,
        "passages": f"id = '{world.passage_id}'",
        "passage_versions": f"passage_id = '{world.passage_id}'",
        "media": f"id = '{world.media_id}'",
        "tests": f"id = '{world.test_id}'",
        "test_sections": of_test,
        "column_mappings": f"id = '{world.mapping_id}'",
        "institutes": f"id = '{operator().institute_id}'",
        "papers": of_test,
    }
    statements = [
        f"select to_jsonb(row)::text from ias.{table} row where {condition}"
        for table, condition in wanted.items()
    ]
    rows = sorted(await world.uow.session.scalars(text(" union all ".join(statements))))
    assert len(rows) >= len(wanted)
    return rows


async def _pending_draft(world: World) -> object:
    listed = await tests.find(world.uow, operator(), world.test_id, NOW)
    return await tests.pending_draft(world.uow, world.stranger, listed)


async def _key_warnings(world: World) -> object:
    listed = await tests.find(world.uow, operator(), world.test_id, NOW)
    return await tests.key_warnings(world.uow, world.stranger, listed)


NOT_FOUND: dict[str, Call] = {
    "tests.key_warnings": _key_warnings,
    "tests.named": lambda w: tests.named(w.uow, w.stranger, str(w.test_id)),
    "questions.find": lambda w: questions.find(w.uow, w.stranger, w.question_id),
    "questions.revise": lambda w: questions.revise(
        w.uow, w.stranger, w.question_id, QuestionUpdate(tags=["x"])
    ),
    "questions.retire": lambda w: questions.retire(w.uow, w.stranger, w.question_id),
    "questions.compare": lambda w: questions.compare(w.uow, w.stranger, w.question_id, 1, 1),
    "passages.find": lambda w: passages.find(w.uow, w.stranger, w.passage_id),
    "passages.revise": lambda w: passages.revise(w.uow, w.stranger, w.passage_id, PassageUpdate({"en": "x"})),
    "passages.retire": lambda w: passages.retire(w.uow, w.stranger, w.passage_id),
    "passages.delete": lambda w: passages.delete(w.uow, w.stranger, w.passage_id),
    "media.find": lambda w: media.find(w.uow, w.stranger, w.media_id),
    "media.find_in_attempt": lambda w: media.find_in_attempt(w.uow, w.stranger.id, w.test_id, w.media_id),
    "tests.find": lambda w: tests.find(w.uow, w.stranger, w.test_id, NOW),
    "tests.is_unpublished": lambda w: tests.is_unpublished(w.uow, w.stranger, w.test_id, NOW),
    "tests.change": lambda w: tests.change(w.uow, w.stranger, w.test_id, tests.TestUpdate(kind="practice")),
    "tests.archive": lambda w: tests.archive(w.uow, w.stranger, w.test_id),
    "tests.clone": lambda w: tests.clone(w.uow, w.stranger, w.test_id),
    "tests.publish": lambda w: tests.publish(w.uow, w.stranger, w.test_id, NOW),
    "tests.preview": lambda w: tests.preview(w.uow, w.stranger, w.test_id),
    "tests.printout": lambda w: tests.printout(w.uow, w.stranger, w.test_id, "solutions", "en", None),
    "tests.consents": lambda w: tests.consents(w.uow, w.stranger, w.test_id),
    "tests.consent": lambda w: tests.consent(w.uow, w.stranger, w.test_id, w.stranger.id),
    "tests.withdraw_consent": lambda w: tests.withdraw_consent(w.uow, w.stranger, w.test_id, w.stranger.id),
    "tests.pending_draft": _pending_draft,
    "subjects.find": lambda w: subjects.find(w.uow, w.stranger, w.subject.id),
    "subjects.chapters": lambda w: subjects.chapters(w.uow, w.stranger, w.subject.id, EVERYTHING),
    "subjects.change": lambda w: subjects.change(w.uow, w.stranger, w.subject.id, SubjectUpdate(position=9)),
    "subjects.delete": lambda w: subjects.delete(w.uow, w.stranger, w.subject.id),
    "subjects.create_chapter": lambda w: subjects.create_chapter(
        w.uow, w.stranger, w.subject.id, ChapterDraft("theirs", {"en": "Theirs"})
    ),
    "subjects.change_chapter": lambda w: subjects.change_chapter(
        w.uow, w.stranger, w.subject.id, w.chapter_id, ChapterUpdate(position=9)
    ),
    "subjects.delete_chapter": lambda w: subjects.delete_chapter(
        w.uow, w.stranger, w.subject.id, w.chapter_id
    ),
}
INVALID: dict[str, Call] = {
    "questions.create": lambda w: questions.create(w.uow, w.stranger, Place(w.subject.id), w.content()),
    "passages.create": lambda w: passages.create(
        w.uow, w.stranger, PassageDraft({"en": "x"}, [str(w.media_id)])
    ),
    "tests.create": lambda w: tests.create(w.uow, w.stranger, w.draft),
    "tests.apply_draft": lambda w: tests.apply_draft(w.uow, w.stranger, replace(w.draft, reference="ours")),
}


async def lists_are_empty(world: World) -> None:
    uow, stranger = world.uow, world.stranger
    in_ours = QuestionFilter(subject_id=world.subject.id)
    for wanted in (QuestionFilter(), in_ours):
        assert (await questions.page(uow, stranger, wanted, EVERYTHING)).items == []
    assert (await questions.duplicates(uow, stranger, world.subject.id, 0.7, EVERYTHING)).items == []
    assert (await passages.page(uow, stranger, PassageFilter(), EVERYTHING)).items == []
    assert (await tests.page(uow, stranger, NOW, test_rows.TestFilter(), EVERYTHING)).items == []
    assert list(await tests.suggestions(uow, stranger, NOW, 100)) == []
    assert (await subjects.page(uow, stranger, EVERYTHING)).items == []
    assert await questions.subject_named(uow, stranger, world.subject.slug) is None
    assert (await column_mappings.page(uow, stranger, None, EVERYTHING)).items == []


async def an_export_is_empty(world: World) -> None:
    for wanted in (QuestionFilter(), QuestionFilter(subject_id=world.subject.id)):
        export = await questions.export(world.uow, world.stranger, wanted, SheetFormat.CSV)
        with export.file:
            assert (export.questions, export.left_out) == (0, 0)
        made = await questions.export_items(
            world.uow, world.stranger, wanted, FormatName.MOODLE_XML, world.parts.media
        )
        assert (made.export.questions, made.export.left_out) == (0, 0)


async def an_import_makes_rows_of_their_own(world: World) -> None:
    for named in ({"passage_id": "P"}, {"image": str(world.media_id)}):
        refused = await questions.import_questions(world.uow, world.stranger, world.sheet(**named))
        assert [error.field for error in refused.errors] == list(named)
    report = await questions.import_questions(world.uow, world.stranger, world.sheet())
    assert (report.created, report.updated) == (1, 0)
    theirs = (await questions.find(world.uow, world.stranger, report.item_ids[0])).question
    assert theirs.subject_id != world.subject.id


async def an_equal_image_is_another_one(world: World) -> None:
    kept = await media.upload(world.uow, world.parts.media, world.stranger, world.image)
    assert kept.is_new
    assert kept.media.id != world.media_id


async def an_image_of_ours_does_not_exist(world: World) -> None:
    errors = await media.check_exist(world.uow, world.stranger.institute_id, [str(world.media_id)])
    assert [error.field for error in errors] == ["media.0"]


async def the_same_slug_is_free(world: World) -> None:
    draft = SubjectDraft(world.subject.slug, {"en": "Theirs"})
    assert (await subjects.create(world.uow, world.stranger, draft)).id != world.subject.id


async def a_title_of_ours_is_free(world: World) -> None:
    title = world.draft.title["en"]
    with pytest.raises(AlreadyExists):
        await tests.check_title(world.uow, operator(), title)
    await tests.check_title(world.uow, world.stranger, title)


LISTED = {"tests.suggestions", "questions.page", "questions.duplicates", "questions.subject_named"}
LISTED |= {"passages.page", "tests.page", "subjects.page", "column_mappings.page"}


async def a_mapping_of_ours_stays(world: World) -> None:
    assert not await column_mappings.delete(world.uow, world.stranger, world.mapping_id)


async def they_name_their_own_institute(world: World) -> None:
    await institutes.rename(world.uow, world.stranger, "Theirs")
    found = await institutes.find(world.uow, world.stranger)
    assert (found.id, found.name) == (world.stranger.institute_id, "Theirs")


async def names_of_ours_are_unknown(world: World) -> None:
    """A reference and an external id name what the own institute has."""
    uow, stranger = world.uow, world.stranger
    test = await tests.apply_draft(uow, operator(), replace(world.draft, reference="ours"))
    await tests.lock_tests(uow, stranger, ["ours"])
    await tests.lock_known_tests(uow, stranger, ["ours"])
    assert await tests.with_reference(uow, stranger, "ours") is None
    assert await tests.with_reference(uow, operator(), "ours") == test.test_id
    assert await questions.with_external_ids(uow, stranger, ["OURS"]) == {}
    assert await questions.select(uow, stranger, QuestionFilter(), 100) == []


OTHERWISE: dict[str, Call] = {
    **dict.fromkeys(
        (
            "questions.select",
            "questions.with_external_ids",
            "tests.lock_known_tests",
            "tests.lock_tests",
            "tests.with_reference",
        ),
        names_of_ours_are_unknown,
    ),
    **dict.fromkeys(LISTED, lists_are_empty),
    "questions.export": an_export_is_empty,
    "questions.export_items": an_export_is_empty,
    "questions.import_questions": an_import_makes_rows_of_their_own,
    "media.upload": an_equal_image_is_another_one,
    "media.check_exist": an_image_of_ours_does_not_exist,
    "subjects.create": the_same_slug_is_free,
    "tests.check_title": a_title_of_ours_is_free,
    "column_mappings.delete": a_mapping_of_ours_stays,
    "institutes.rename": they_name_their_own_institute,
    "institutes.find": they_name_their_own_institute,
}


def services_of(module: ModuleType) -> set[str]:
    """The public functions of a service that may ask the database."""
    public = getattr(module, "__all__", None) or [name for name in vars(module) if not name.startswith("_")]
    name = module.__name__.rpartition(".")[2]
    return {
        f"{name}.{each}"
        for each in public
        if inspect.iscoroutinefunction(function := getattr(module, each))
        and function.__module__.startswith(module.__name__)
    }


def test_no_service_is_forgotten() -> None:
    known = {*NOT_FOUND, *INVALID, *OTHERWISE, *OF_WHAT_WAS_FOUND}
    assert set().union(*(services_of(module) for module in SERVICES)) == known


async def is_refused(world: World, call: Call, error: type[DomainError]) -> bool:
    try:
        await call(world)
    except error:
        return True
    return False


async def test_it_is_as_if_it_were_not_there(world: World) -> None:
    before = await ours(world)
    for error, calls in ((NotFound, NOT_FOUND), (Invalid, INVALID)):
        for name, call in calls.items():
            assert await is_refused(world, call, error), name
            await world.uow.session.flush()
            assert await ours(world) == before, name


@pytest.mark.parametrize("holds", dict.fromkeys(OTHERWISE.values()))
async def test_what_is_theirs_is_apart(world: World, holds: Call) -> None:
    before = await ours(world)
    await holds(world)
    await world.uow.session.flush()
    assert await ours(world) == before


async def test_the_tables_can_fail(world: World) -> None:
    """The same calls by somebody of ours: they find what is there."""
    us = replace(world, stranger=operator())
    for name in ("questions.find", "passages.find", "media.find", "tests.preview", "subjects.find"):
        assert await NOT_FOUND[name](us) is not None
    student = replace(world, stranger=replace(operator(), role=Role.STUDENT))
    with pytest.raises(NotFound):
        await NOT_FOUND["media.find"](student)
