"""Importing sheets into the bank."""

import asyncio
import csv
import io
from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import event, func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from app.models import DEFAULT_INSTITUTE_ID, Chapter, Institute, Passage, Question, Subject
from app.repositories.base import PageRequest
from app.repositories.questions import QuestionFilter
from app.services import questions
from app.services.questions import EmptyKey, passages
from app.services.questions.passages import PassageDraft, PassageUpdate
from app.services.questions.reading import ImportStage
from app.services.unit_of_work import UnitOfWork, unit_of_work
from app.services.users import Principal, operator
from app.sheets.reports import ImportReport

Row = dict[str, str]


@pytest.fixture
async def author(uow: UnitOfWork) -> Principal:
    """An author of an institute whose bank is empty."""
    institute = Institute(slug=uuid4().hex, name="Empty")
    uow.session.add(institute)
    await uow.session.flush()
    return replace(operator(), institute_id=institute.id)


def question(number: int = 1, **cells: str) -> Row:
    return {
        "number": str(number),
        "source": "Mock 1",
        "question": f"Which is number {number}?",
        "option_a": "This",
        "option_b": "That",
        "key": "a",
        **cells,
    }


def sheet(*rows: Row) -> bytes:
    out = io.StringIO()
    writer = csv.DictWriter(out, list(dict.fromkeys(name for row in rows for name in row)))
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


async def bring(
    uow: UnitOfWork, author: Principal, *rows: Row, subject: str | None = "Polity", **options: Any
) -> ImportReport:
    return await questions.import_questions(uow, author, sheet(*rows), subject=subject, **options)


def counts(report: ImportReport) -> tuple[int, int, int]:
    assert list(report.errors) == []
    return report.created, report.updated, report.unchanged


async def the(uow: UnitOfWork, author: Principal, question_id: UUID) -> Question:
    return (await questions.find(uow, author, question_id)).question


async def count(uow: UnitOfWork, table: type[Question | Subject], author: Principal) -> int:
    statement = select(func.count()).where(table.institute_id == author.institute_id)
    return int((await uow.session.execute(statement)).scalar_one())


async def chapters(uow: UnitOfWork, author: Principal) -> dict[str, Chapter]:
    rows = await uow.subjects.lock_chapters_shared(author.institute_id)
    return {row.name["en"]: row for row in rows}


class TestImportQuestions:
    async def test_new_questions_are_created_in_the_order_of_the_sheet(
        self, uow: UnitOfWork, author: Principal
    ) -> None:
        report = await bring(uow, author, question(2, key="b"), question(1))
        assert counts(report) == (2, 0, 0)
        second, first = [await the(uow, author, question_id) for question_id in report.item_ids]
        assert (second.source, second.source_number, second.status) == ("Mock 1", 2, "active")
        assert second.version.key == {"accepted": [["b"]]}
        assert first.version.text == {"en": "Which is number 1?"}
        listed = await questions.page(uow, author, QuestionFilter(), PageRequest())
        assert [row.question.id for row in listed.items] == list(report.item_ids)

    @pytest.mark.parametrize("known_by", ["external_id", "source and number", "text"])
    async def test_a_second_time_changes_nothing(
        self, uow: UnitOfWork, author: Principal, known_by: str
    ) -> None:
        rows = [question(1, key="b", tags="x"), question(2, explanation="So.")]
        if known_by == "external_id":
            rows = [row | {"external_id": f"X-{row['number']}"} for row in rows]
        if known_by == "text":
            rows = [row | {"number": ""} for row in rows]
        first = await bring(uow, author, *rows)
        second = await bring(uow, author, *reversed(rows))
        assert (counts(first), counts(second)) == ((2, 0, 0), (0, 0, 2))
        assert list(second.item_ids) == list(reversed(first.item_ids))
        assert await count(uow, Question, author) == 2

    async def test_what_changed_becomes_the_next_version(self, uow: UnitOfWork, author: Principal) -> None:
        first = await bring(uow, author, question(1), question(2))
        second = await bring(uow, author, question(1, key="b"), question(2))
        assert counts(second) == (0, 1, 1)
        assert second.item_ids == first.item_ids
        changed = await the(uow, author, first.item_ids[0])
        versions = await questions.versions(uow, changed)
        assert [(v.number, v.key) for v in versions] == [
            (2, {"accepted": [["b"]]}),
            (1, {"accepted": [["a"]]}),
        ]

    async def test_another_place_needs_no_version(self, uow: UnitOfWork, author: Principal) -> None:
        first = await bring(uow, author, question())
        second = await bring(uow, author, question(), subject="Economy")
        assert counts(second) == (0, 1, 0)
        moved = await the(uow, author, first.item_ids[0])
        assert moved.current_version == 1
        assert counts(await bring(uow, author, question(), subject="Economy")) == (0, 0, 1)

    async def test_a_sheet_speaks_for_its_own_columns_and_languages(
        self, uow: UnitOfWork, author: Principal
    ) -> None:
        full = question(
            question_hi="कौन सा?",
            option_a_hi="यह",
            explanation="Because.",
            difficulty="hard",
            tags="x",
            chapter="Basics",
        )
        first = await bring(uow, author, full)
        assert counts(await bring(uow, author, question())) == (0, 0, 1)
        assert counts(await bring(uow, author, question(question="Which one?"))) == (0, 1, 0)
        changed = await the(uow, author, first.item_ids[0])
        assert changed.version.text == {"en": "Which one?", "hi": "कौन सा?"}
        assert changed.version.options[0]["text"] == {"en": "This", "hi": "यह"}
        assert changed.version.explanation == {"en": "Because."}
        assert (changed.version.difficulty, changed.version.tags) == ("hard", ["x"])
        assert changed.chapter_id is not None
        await bring(uow, author, question(question="Which one?", explanation="", tags="", chapter=""))
        emptied = await the(uow, author, first.item_ids[0])
        assert (emptied.version.explanation, emptied.version.tags, emptied.chapter_id) == (None, [], None)

    async def test_it_counts_the_questions_in_which_a_column_changes(
        self, uow: UnitOfWork, author: Principal
    ) -> None:
        await bring(uow, author, question(1), question(2), question(3))
        report = await bring(
            uow,
            author,
            question(1, key="b", chapter="Basics", tags="x"),
            question(2, option_a="Those", option_b="These", tags="x"),
            question(3),
            question(4, tags="new"),
        )
        assert counts(report) == (1, 2, 1)
        assert report.updated_columns == {"key": 1, "chapter": 1, "tags": 2, "options": 1}
        other = question(3, question="What?", explanation="It is.", difficulty="hard", status="retired")
        retired = await bring(uow, author, other)
        assert list(retired.updated_columns) == ["question", "explanation", "difficulty", "status"]

    async def test_a_question_is_known_by_its_strongest_name_alone(
        self, uow: UnitOfWork, author: Principal
    ) -> None:
        named = await bring(uow, author, question(external_id="X-1"))
        sourced = await bring(uow, author, question())
        by_text = await bring(uow, author, question() | {"number": "", "source": ""})
        ids = {*named.item_ids, *sourced.item_ids, *by_text.item_ids}
        assert len(ids) == 3
        assert counts(await bring(uow, author, question(key="b", external_id="X-1"))) == (0, 1, 0)
        assert (await the(uow, author, sourced.item_ids[0])).current_version == 1

    async def test_errors_leave_nothing_behind(self, uow: UnitOfWork, author: Principal) -> None:
        report = await bring(uow, author, question(1), question(2, key="e"))
        assert [(error.row, error.field) for error in report.errors] == [(3, "key")]
        assert (report.created, report.updated, report.unchanged) == (0, 0, 0)
        assert list(report.item_ids) == []
        assert await count(uow, Question, author) == await count(uow, Subject, author) == 0

    async def test_a_dry_run_only_tells(self, uow: UnitOfWork, author: Principal) -> None:
        await bring(uow, author, question(1), question(2))
        rows = [question(1), question(2, key="b"), question(3)]
        report = await bring(uow, author, *rows, dry_run=True, subject="Economy")
        assert (report.created, report.updated, report.unchanged) == (1, 2, 0)
        assert list(report.item_ids) == []
        assert await count(uow, Question, author) == 2
        assert await count(uow, Subject, author) == 1

    @pytest.mark.parametrize(
        ("cells", "field"),
        [
            ({"external_id": "X-1"}, "external_id"),
            ({"number": "1"}, "number"),
            ({"number": "", "question": "Which is number 1? "}, "question"),
        ],
    )
    async def test_one_question_twice_in_a_sheet(
        self, uow: UnitOfWork, author: Principal, cells: Row, field: str
    ) -> None:
        rows = [question(1) | cells, question(2), question(3) | cells]
        report = await bring(uow, author, *rows)
        assert [(error.row, error.field) for error in report.errors] == [(4, field)]
        assert "row 2" in report.errors[0].message

    async def test_the_subject_of_a_row(self, uow: UnitOfWork, author: Principal) -> None:
        rows = [
            question(1, subject="Polity"),
            question(2, subject="polity "),
            question(3, subject="राजव्यवस्था"),
        ]
        await bring(uow, author, *rows, subject=None)
        subjects = {row.slug: row.name for row in await uow.subjects.lock_all_shared(author.institute_id)}
        assert subjects == {"polity": {"en": "Polity"}, "raajavyavasthaa": {"en": "राजव्यवस्था"}}

    async def test_a_subject_is_found_by_any_of_its_names(self, uow: UnitOfWork, author: Principal) -> None:
        names = {"en": "Indian Polity", "hi": "राजव्यवस्था"}
        subject = Subject(institute_id=author.institute_id, slug="polity", name=names)
        uow.subjects.add(subject)
        await uow.subjects.flush()
        report = await bring(
            uow,
            author,
            question(1, subject="राजव्यवस्था"),
            question(2, subject="indian polity"),
            question(3, subject="Polity"),
            subject=None,
        )
        found = [(await the(uow, author, row)).subject_id for row in report.item_ids]
        assert found == [subject.id] * 3

    async def test_with_one_subject_those_of_the_rows_are_chapters(
        self, uow: UnitOfWork, author: Principal
    ) -> None:
        rows = [
            question(1, subject="Economy", chapter="Basics"),
            question(2, subject="History", chapter="Basics"),
            question(3, subject="History", chapter=""),
        ]
        report = await bring(uow, author, *rows, subject="General Studies")
        assert counts(await bring(uow, author, *rows, subject="general studies")) == (0, 0, 3)
        found = [await the(uow, author, row) for row in report.item_ids]
        assert len({row.subject_id for row in found}) == 1
        by_id = {row.id: row for row in (await uow.subjects.lock_chapters_shared(author.institute_id))}
        assert [by_id[row.chapter_id].slug for row in found if row.chapter_id] == [
            "economy-basics",
            "history-basics",
            "history",
        ]
        assert by_id[found[1].chapter_id or uuid4()].parent_id == found[2].chapter_id

    async def test_a_dropped_question(self, uow: UnitOfWork, author: Principal) -> None:
        report = await bring(uow, author, question(key=""), empty_key=EmptyKey.DROPPED)
        dropped = await the(uow, author, report.item_ids[0])
        assert (dropped.version.key, dropped.status) == ({"dropped": True}, "active")

    async def test_a_draft_becomes_active_with_its_key(self, uow: UnitOfWork, author: Principal) -> None:
        first = await bring(uow, author, question(key=""), empty_key=EmptyKey.DRAFT)
        assert (await the(uow, author, first.item_ids[0])).status == "draft"
        assert counts(await bring(uow, author, question(key=""), empty_key=EmptyKey.DRAFT)) == (0, 0, 1)
        await bring(uow, author, question(key="b"))
        assert (await the(uow, author, first.item_ids[0])).status == "active"

    async def test_a_retired_question_stays_retired(self, uow: UnitOfWork, author: Principal) -> None:
        first = await bring(uow, author, question())
        await questions.retire(uow, author, first.item_ids[0])
        assert counts(await bring(uow, author, question())) == (0, 0, 1)
        assert counts(await bring(uow, author, question(status="active"))) == (0, 1, 0)

    async def test_a_passage_is_found_by_its_external_id(self, uow: UnitOfWork, author: Principal) -> None:
        passage = Passage(institute_id=author.institute_id, external_id="P-1")
        elsewhere = Passage(institute_id=DEFAULT_INSTITUTE_ID, external_id=f"P-{uuid4()}")
        uow.session.add_all([passage, elsewhere])
        await uow.session.flush()
        report = await bring(uow, author, question(passage_id="P-1"))
        assert (await the(uow, author, report.item_ids[0])).version.passage_id == passage.id
        refused = await bring(uow, author, question(passage_id=str(elsewhere.external_id)))
        assert [(error.row, error.field) for error in refused.errors] == [(2, "passage_id")]

    async def test_a_retired_passage_is_named_with_its_mend(self, uow: UnitOfWork, author: Principal) -> None:
        passage = Passage(institute_id=author.institute_id, external_id="P-2", status="retired")
        uow.session.add(passage)
        await uow.session.flush()
        refused = await bring(uow, author, question(1), question(2, passage_id="P-2"))
        assert [(error.row, error.field) for error in refused.errors] == [(3, "passage_id")]
        assert refused.errors[0].message == 'the passage "P-2" is retired; bring it back, or name another'
        assert await count(uow, Question, author) == 0

    async def test_a_retired_question_keeps_its_retired_passage(
        self, uow: UnitOfWork, author: Principal
    ) -> None:
        draft = PassageDraft({"en": "Read this."}, external_id="P-3")
        passage = await passages.create(uow, author, draft)
        row = question(passage_id="P-3")
        (question_id,) = (await bring(uow, author, row)).item_ids
        await questions.retire(uow, author, question_id)
        await passages.retire(uow, author, passage.id)
        assert counts(await bring(uow, author, row)) == (0, 0, 1)
        for revived in (row | {"status": "active"}, question() | {"status": "active"}):
            refused = await bring(uow, author, revived)
            assert [(error.row, error.field) for error in refused.errors] == [(2, "passage_id")]
        await passages.revise(uow, author, passage.id, PassageUpdate(status="active"))
        assert counts(await bring(uow, author, row | {"status": "active"})) == (0, 1, 0)

    async def test_very_many_warnings_are_cut_with_a_word(
        self, uow: UnitOfWork, author: Principal, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("app.services.questions.writing.MAX_REPORTED", 100)
        monkeypatch.setattr("app.services.questions.similarity._AT_ONCE", 100)
        text = "Which of the statements about the Constitution of India given above is correct, and why?"
        report = await bring(uow, author, *(question(number, question=text) for number in range(1, 253)))
        assert report.created == 252
        assert report.warnings[0].message.startswith("all 252 keys are a")
        assert report.warnings[1].message == (
            "very similar to the question in row 2 (100%). The same in 198 more cells: C4:C201"
        )
        assert (report.warnings[-1].row, report.warnings[-1].field) == (201, "file")
        assert "those after this one were not compared" in report.warnings[-1].message

    async def test_it_tells_how_far_it_is(self, uow: UnitOfWork, author: Principal) -> None:
        told: list[tuple[str, int, int | None]] = []
        rows = [question(number) for number in range(1, 701)]
        await bring(uow, author, *rows, progress=lambda *step: told.append(step))
        stages = list(dict.fromkeys(stage for stage, _, _ in told))
        assert stages == list(ImportStage)
        for stage in stages:
            steps = [(done, of) for named, done, of in told if named == stage]
            assert steps == sorted(steps, key=lambda step: step[0])
            assert steps[-1] == (700, 700)
            assert len(steps) > 1 or stage == ImportStage.COMPARING

    async def test_very_many_errors_are_cut_with_a_word(self, uow: UnitOfWork, author: Principal) -> None:
        report = await bring(
            uow, author, *(question(number, chapter="c" * (301 + number)) for number in range(1_002))
        )
        assert len(report.errors) == 1_001
        assert report.errors[-1].message == "there are 2 more errors after these"

    async def test_one_cause_in_many_rows_is_one_error(self, uow: UnitOfWork, author: Principal) -> None:
        report = await bring(uow, author, *(question(number, key="e") for number in range(4)))
        (error,) = report.errors
        assert (error.row, error.cell) == (2, "F2")
        assert error.message.endswith("The same in 3 more cells: F3:F5")

    async def test_two_imports_at_once_make_one_question(self, engine: AsyncEngine) -> None:
        rows = [question(1, source=f"Mock {uuid4()}"), question() | {"number": "", "question": str(uuid4())}]
        subject = f"Polity {uuid4()}"

        async def once() -> ImportReport:
            async with unit_of_work(engine) as uow:
                return await bring(uow, operator(), *rows, subject=subject)

        reports = await asyncio.gather(once(), once())
        assert sorted(counts(report) for report in reports) == [(0, 0, 2), (2, 0, 0)]
        assert reports[0].item_ids == reports[1].item_ids

    async def test_statements_grow_with_hundreds_of_rows_at_most(
        self, uow: UnitOfWork, author: Principal, engine: AsyncEngine
    ) -> None:
        few = [question(number) for number in range(10)]
        many = [question(number, source="Mock 2") for number in range(500)]
        for_few = await statements(engine, bring(uow, author, *few))
        for_many = await statements(engine, bring(uow, author, *many, subject="Economy"))
        assert for_few <= for_many < for_few + 10


async def statements(engine: AsyncEngine, work: Any) -> int:
    """How many statements the work sends."""
    sent: Sequence[str] = []

    def note(_conn: Any, _cursor: Any, statement: str, *_: Any) -> None:
        assert isinstance(sent, list)
        sent.append(statement)

    event.listen(engine.sync_engine, "before_cursor_execute", note)
    try:
        await work
    finally:
        event.remove(engine.sync_engine, "before_cursor_execute", note)
    return len(sent)
