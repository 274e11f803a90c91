"""The question bank over HTTP: sheets, history, likeness, formats, and what an embargo withholds."""

import csv
import io
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from openpyxl import load_workbook
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from app import models
from app.models import Exam, ExamPaper
from app.services import tests
from app.services.tests import SectionDraft
from app.services.unit_of_work import unit_of_work
from app.services.users import operator
from tests.builders.content import UPSC, add_subject
from tests.builders.exams import add_exam
from tests.builders.people import People
from tests.builders.workbooks import HEADER, workbook

NOW = datetime(2026, 6, 7, 4, 0, tzinfo=UTC)
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
LONG = (
    "Consider the following statements about the Constitution of India as it was adopted in November 1949: "
    "the preamble was the last part to be adopted, and the date of commencement is another one. "
)


@pytest.fixture
async def subject_id(engine: AsyncEngine) -> str:
    async with unit_of_work(engine) as uow:
        return str((await add_subject(uow)).id)


async def make(author: httpx.AsyncClient, subject_id: str, **fields: Any) -> dict[str, Any]:
    body = {
        "subject_id": subject_id,
        "type": "single_choice",
        "text": f"Which is {uuid4()}?",
        "options": [{"id": "a", "text": "This"}, {"id": "b", "text": "That"}],
        "key": ["b"],
        "explanation": "SECRET-EXPLANATION",
        **fields,
    }
    answer = await author.post("/questions", json=body)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def found(author: httpx.AsyncClient, subject_id: str, **filters: Any) -> list[str]:
    answer = await author.get("/questions", params={"subject_id": subject_id, **filters})
    assert answer.status_code == 200, answer.text
    return [item["id"] for item in answer.json()["items"]]


def sheet_of(answer: httpx.Response) -> list[dict[str, str]]:
    assert answer.status_code == 200, answer.text
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))


async def errors(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 422, answer.text
    return [error["field"] for error in answer.json()["errors"]]


class TestSearch:
    async def test_words_are_found_in_any_form(self, author: httpx.AsyncClient, subject_id: str) -> None:
        rivers = await make(
            author,
            subject_id,
            text={"en": "Which rivers are flowing westwards?", "hi": "कौन सी नदियाँ पश्चिम की ओर बहती हैं?"},
            options=[
                {"id": "a", "text": "Narmada"},
                {"id": "b", "text": {"en": "Godavari", "hi": "गोदावरी"}},
            ],
            tags=["Drainage systems"],
            external_id=f"GEO/{subject_id}",
        )
        court = await make(author, subject_id, text="Which court flows from Article 124?", tags=["river"])
        both, first = [rivers["id"], court["id"]], [rivers["id"]]
        assert await found(author, subject_id, query="river") == both
        assert await found(author, subject_id, query="Flow west") == []
        assert await found(author, subject_id, query="rivers flow") == both
        assert await found(author, subject_id, query='"rivers are flowing"') == first
        assert await found(author, subject_id, query="river -court") == first
        assert await found(author, subject_id, query="river -----court") == [court["id"]]
        assert await found(author, subject_id, query="narmada or article") == both
        assert await found(author, subject_id, query="नदी") == first
        assert await found(author, subject_id, query="गोदावरी") == first
        assert await found(author, subject_id, query="drainage system") == first
        assert await found(author, subject_id, query="odavar") == first
        assert await found(author, subject_id, query=f"GEO/{subject_id}") == first
        assert await found(author, subject_id, query="SECRET-EXPLANATION") == []

    async def test_several_tags_are_any_of_them(self, author: httpx.AsyncClient, subject_id: str) -> None:
        one = await make(author, subject_id, tags=["x", "y"])
        two = await make(author, subject_id, tags=["x"])
        three = await make(author, subject_id, tags=["z", "y"])
        await make(author, subject_id, tags=["z"])
        assert await found(author, subject_id, tag="x") == [one["id"], two["id"]]
        assert await found(author, subject_id, tag=["x", "y"]) == [one["id"], two["id"], three["id"]]


class TestDiff:
    async def test_what_changed_is_told_field_by_field(
        self, author: httpx.AsyncClient, subject_id: str
    ) -> None:
        made = await make(author, subject_id, text={"en": "Which?", "hi": "कौन?"}, tags=["x"])
        path = f"/questions/{made['id']}"
        await author.patch(path, json={"key": ["a"], "text": {"en": "Which one?"}, "tags": ["x", "y"]})
        options = [*made["options"], {"id": "c", "text": "Both"}]
        await author.patch(path, json={"options": options, "explanation": None})
        second = (await author.get(f"{path}/versions/2/diff")).json()
        assert second == {
            "question_id": made["id"],
            "number": 2,
            "against": 1,
            "changes": [
                {"field": "text.en", "before": "Which?", "after": "Which one?"},
                {"field": "key", "before": {"accepted": [["b"]]}, "after": {"accepted": [["a"]]}},
                {"field": "tags", "before": ["x"], "after": ["x", "y"]},
                {"field": "text.hi", "before": "कौन?", "after": None},
            ],
        }
        third = (await author.get(f"{path}/versions/3/diff")).json()["changes"]
        assert third == [
            {"field": "options", "before": ["a", "b"], "after": ["a", "b", "c"]},
            {"field": "options.c.text.en", "before": None, "after": "Both"},
            {"field": "explanation.en", "before": "SECRET-EXPLANATION", "after": None},
        ]
        back = (await author.get(f"{path}/versions/1/diff", params={"against": 2})).json()["changes"]
        assert {change["field"] for change in back} == {"text.en", "text.hi", "key", "tags"}
        assert (await author.get(f"{path}/versions/1/diff")).json()["changes"] == []

    async def test_an_unknown_version(self, author: httpx.AsyncClient, subject_id: str) -> None:
        made = await make(author, subject_id)
        path = f"/questions/{made['id']}/versions"
        answers = [
            await author.get(f"{path}/2/diff"),
            await author.get(f"{path}/1/diff", params={"against": 2}),
            await author.get(f"/questions/{uuid4()}/versions/1/diff"),
        ]
        assert [answer.status_code for answer in answers] == [404] * 3


class TestSheets:
    @pytest.mark.parametrize(("sheet_format", "kind"), [("csv", "text/csv; charset=utf-8"), ("xlsx", XLSX)])
    async def test_an_export_comes_back_unchanged(
        self, author: httpx.AsyncClient, subject_id: str, sheet_format: str, kind: str
    ) -> None:
        for number in range(3):
            await make(author, subject_id, external_id=f"{subject_id}-{number}", tags=["x"])
        options = [{"id": name, "text": name} for name in ("one", "two")]
        await make(author, subject_id, options=options, key=["one"])
        body = {"subject_id": subject_id, "format": sheet_format}
        answer = await author.post("/questions/export", json=body)
        assert answer.headers["content-type"] == kind
        assert answer.headers["content-disposition"] == f'attachment; filename="questions.{sheet_format}"'
        counts = answer.headers["x-questions-exported"], answer.headers["x-questions-left-out"]
        assert counts == ("3", "1")
        report = (await author.post("/questions/import", files={"file": answer.content})).json()
        assert [question["row"] for question in report.pop("questions")] == [2, 3, 4]
        assert report == {
            "format": "sheet",
            "created": 0,
            "updated": 0,
            "unchanged": 3,
            "updated_columns": {},
            "passages_created": 0,
            "passages_updated": 0,
            "errors": [],
            "warnings": [],
        }

    async def test_an_export_is_filtered_like_the_list(
        self, author: httpx.AsyncClient, subject_id: str
    ) -> None:
        await make(author, subject_id, tags=["x", "y"], text="Rivers?")
        await make(author, subject_id, tags=["x"])
        await make(author, subject_id, tags=["y"])
        await make(author, subject_id, tags=["z"])
        for wanted, count in (({"tag": "x"}, 2), ({"tag": ["x", "y"]}, 3), ({"query": "river"}, 1)):
            answer = await author.post("/questions/export", json={"subject_id": subject_id, **wanted})
            assert len(sheet_of(answer)) == count

    @pytest.mark.parametrize("sheet_format", ["csv", "xlsx"])
    async def test_the_template_imports_as_nothing(
        self, author: httpx.AsyncClient, sheet_format: str
    ) -> None:
        answer = await author.get("/questions/template", params={"format": sheet_format})
        name = f'attachment; filename="questions-template.{sheet_format}"'
        assert answer.headers["content-disposition"] == name
        report = (await author.post("/questions/import", files={"file": answer.content})).json()
        warning = {
            "row": 1,
            "field": "file",
            "message": "the sheet has a header and no questions",
            "cell": "1" if sheet_format == "csv" else "questions!1",
            "question_id": None,
        }
        nothing = {
            "format": "sheet",
            "created": 0,
            "updated": 0,
            "unchanged": 0,
            "updated_columns": {},
            "passages_created": 0,
            "passages_updated": 0,
            "errors": [],
            "questions": [],
        }
        assert report == nothing | {"warnings": [warning]}

    async def test_a_workbook_over_http(self, author: httpx.AsyncClient) -> None:
        header = ("external_id", "subject", "question", "option_a", "option_b", "key")
        row = (str(uuid4()), "Polity", "Which?", 1, "=A1", "a")
        files = {"file": ("sheet.csv", workbook(header, row), "text/csv")}
        report = (await author.post("/questions/import", files=files)).json()
        assert report["errors"] == [
            {
                "row": 2,
                "field": "option_b",
                "message": "this is a formula; type the value instead",
                "cell": "Sheet1!E2",
            }
        ]


class TestWarnings:
    async def test_very_similar_rows_are_told_and_imported(
        self, author: httpx.AsyncClient, subject_id: str
    ) -> None:
        subject = (await author.get(f"/subjects/{subject_id}")).json()["slug"]
        text = f"{LONG} {subject}"
        known = await make(author, subject_id, text=text)
        near = text.replace("another one", "a different one")
        nearer = text.replace("another one", "a different two")
        other = f"What is the capital of the state that {subject} is about?"
        rows = "".join(f'{subject},"{row}",This,That,b\n' for row in (near, other, nearer))
        sheet = f"subject,question,option_a,option_b,key\n{rows}"
        for dry_run in ("true", "false"):
            answer = await author.post(
                "/questions/import", files={"file": sheet.encode()}, data={"dry_run": dry_run}
            )
            report = answer.json()
            assert (report["created"], report["errors"]) == (3, [])
            told = [(w["row"], w["field"], w["question_id"]) for w in report["warnings"]]
            assert told == [(2, "question", known["id"]), (4, "question", None)]
            assert "very similar to another question of the bank" in report["warnings"][0]["message"]
            assert "very similar to the question in row 2" in report["warnings"][1]["message"]
        assert len(await found(author, subject_id)) == 4
        again = await author.post("/questions/import", files={"file": sheet.encode()})
        assert again.json()["warnings"] == []

    async def test_a_retired_question_is_no_duplicate(
        self, author: httpx.AsyncClient, subject_id: str
    ) -> None:
        subject = (await author.get(f"/subjects/{subject_id}")).json()["slug"]
        known = await make(author, subject_id, text=f"{LONG} {subject}")
        await author.post(f"/questions/{known['id']}/retire")
        row = f'{subject},"{LONG} {subject}!",This,That,b\n'
        sheet = f"subject,question,option_a,option_b,key\n{row}"
        report = await author.post("/questions/import", files={"file": sheet.encode()})
        assert report.json()["warnings"] == []


class TestDuplicates:
    async def test_pairs_are_listed_once_page_by_page(
        self, author: httpx.AsyncClient, subject_id: str
    ) -> None:
        texts = [f"{LONG} {subject_id} {word}" for word in ("one", "two", "six")]
        made = [await make(author, subject_id, text=text) for text in texts]
        for _ in range(3):
            await make(author, subject_id)
        pairs, cursor = [], None
        while True:
            wanted: dict[str, Any] = {"subject_id": subject_id, "limit": 1, "cursor": cursor or []}
            page = (await author.get("/questions/duplicates", params=wanted)).json()
            pairs += page["items"]
            cursor = page["next_cursor"]
            if cursor is None:
                break
        ids = [question["id"] for question in made]
        told = [(pair["question"]["id"], pair["other"]["id"]) for pair in pairs]
        assert told == [(ids[0], ids[1]), (ids[0], ids[2]), (ids[1], ids[2])]
        assert all(0.8 <= pair["similarity"] < 1 for pair in pairs)
        assert pairs[0]["question"]["text"]["en"] == texts[0][:200] + "…"

    async def test_the_threshold_and_the_subject_narrow_it(
        self, author: httpx.AsyncClient, subject_id: str, engine: AsyncEngine
    ) -> None:
        async with unit_of_work(engine) as uow:
            other = str((await add_subject(uow)).id)
        text = f"{LONG} {subject_id}"
        await make(author, subject_id, text=text)
        await make(author, subject_id, text=f"{text} and more")
        await make(author, other, text=text)

        async def count(**wanted: Any) -> int:
            answer = await author.get("/questions/duplicates", params=wanted)
            return len(answer.json()["items"])

        assert await count(subject_id=subject_id) == 1
        assert await count(subject_id=subject_id, threshold=0.999) == 0
        assert await count(subject_id=other) == 0

    async def test_a_wrong_threshold_is_named(self, author: httpx.AsyncClient) -> None:
        for wanted in ({"threshold": 0.5}, {"threshold": 1.1}, {"cursor": "x"}):
            answer = await author.get("/questions/duplicates", params=wanted)
            assert answer.status_code == 422


class TestCompile:
    async def test_a_compiled_question_can_be_posted(
        self, author: httpx.AsyncClient, subject_id: str
    ) -> None:
        parts = [
            {"text": {"en": "It has a Speaker.", "hi": "इसमें अध्यक्ष होता है।"}, "correct": True},
            {"text": {"en": "It is never dissolved.", "hi": "यह कभी भंग नहीं होती।"}, "correct": False},
        ]
        bodies: list[dict[str, Any]] = [
            {"format": "statements", "statements": parts},
            {"format": "statements", "statements": parts, "ask": "not_correct"},
            {"format": "how_many", "statements": [*parts, parts[0]]},
            {
                "format": "pairs",
                "heads": ["River", "Sea"],
                "pairs": [{"left": f"L{n}", "right": f"R{n}", "matched": n == 1} for n in range(3)],
            },
            {"format": "assertion_reason", "assertion": parts[0], "reason": parts[1]},
        ]
        keys = []
        for body in bodies:
            compiled = await author.post("/questions/compile", json=body)
            assert compiled.status_code == 200, compiled.text
            posted = await author.post("/questions", json=compiled.json() | {"subject_id": subject_id})
            assert posted.status_code == 201, posted.text
            assert {name: posted.json()[name] for name in compiled.json()} == compiled.json()
            keys.append(posted.json()["key"]["accepted"])
        assert keys == [[["a"]], [["b"]], [["b"]], [["a"]], [["c"]]]

    async def test_what_makes_no_question_is_refused(self, author: httpx.AsyncClient) -> None:
        wrong: list[tuple[dict[str, Any], str]] = [
            ({"format": "essay"}, "format"),
            ({}, "format"),
            ({"format": "how_many", "statements": []}, "statements"),
            (
                {"format": "statements", "statements": [{"text": "x", "correct": n == 0} for n in range(3)]},
                "combinations",
            ),
        ]
        for body, field in wrong:
            assert await errors(await author.post("/questions/compile", json=body)) == [field], body


class TestRoles:
    async def test_candidates_and_evaluators(
        self, candidate: httpx.AsyncClient, author: httpx.AsyncClient, people: People, subject_id: str
    ) -> None:
        made = await make(author, subject_id)
        reads = [
            ("GET", "/questions/duplicates"),
            ("GET", f"/questions/{made['id']}/versions/1/diff"),
        ]
        writes = [
            ("POST", "/questions/export"),
            ("GET", "/questions/template"),
            ("POST", "/questions/compile"),
        ]
        evaluator = await people.member("evaluator")
        for method, path in (*reads, *writes):
            assert (await candidate.request(method, path, json={})).status_code == 403
        assert [(await evaluator.request(*call)).status_code for call in reads] == [200, 200]
        assert [(await evaluator.request(*call, json={})).status_code for call in writes] == [403] * 3


async def embargoed_test(engine: AsyncEngine, creator: httpx.AsyncClient | None, *question_ids: str) -> UUID:
    """A published test of somebody's, placed in an exam that is not released."""
    draft = tests.TestDraft(
        title={"en": "Mock"},
        kind="full",
        duration_seconds=600,
        marking=UPSC,
        sections=[SectionDraft(name={"en": "Paper"}, question_ids=[UUID(id_) for id_ in question_ids])],
    )
    async with unit_of_work(engine) as uow:
        test = await tests.create(uow, operator(), draft)
        await tests.publish(uow, operator(), test.id, NOW)
        if creator is not None:
            row = await uow.session.get_one(models.Test, test.id)
            row.created_by = UUID((await creator.get("/auth/me")).json()["id"])
        await add_exam(uow, test.id, NOW)
        return test.id


class TestEmbargo:
    @pytest.fixture
    async def held(self, author: httpx.AsyncClient, engine: AsyncEngine, subject_id: str) -> dict[str, Any]:
        """A question in somebody's embargoed test, in two versions."""
        made = await make(author, subject_id, external_id=f"X-{uuid4()}")
        await author.patch(f"/questions/{made['id']}", json={"key": ["a"], "tags": ["x"]})
        await embargoed_test(engine, author, made["id"])
        return (await author.get(f"/questions/{made['id']}")).json()  # type: ignore[no-any-return]

    async def test_the_team_sees_the_key(
        self, author: httpx.AsyncClient, admin: httpx.AsyncClient, held: dict[str, Any]
    ) -> None:
        for member in (author, admin):
            shown = (await member.get(f"/questions/{held['id']}")).json()
            assert (shown["key"], shown["withheld"]) == ({"accepted": [["a"]]}, False)
            assert (await member.patch(f"/questions/{held['id']}", json={"tags": ["x"]})).status_code == 200

    async def test_others_see_neither_key_nor_explanation(
        self, people: People, held: dict[str, Any], subject_id: str
    ) -> None:
        for role in ("author", "evaluator"):
            other = await people.member(role)
            answers = [
                await other.get(f"/questions/{held['id']}"),
                await other.get("/questions", params={"subject_id": subject_id}),
                await other.get(f"/questions/{held['id']}/versions/2/diff"),
                await other.get("/questions/duplicates", params={"subject_id": subject_id}),
            ]
            assert [answer.status_code for answer in answers] == [200] * 4
            assert not any("SECRET" in answer.text or "accepted" in answer.text for answer in answers)
            shown = answers[0].json()
            assert (shown["key"], shown["explanation"], shown["withheld"]) == (None, None, True)
            assert [version["key"] for version in shown["versions"]] == [None, None]
            assert [change["field"] for change in answers[2].json()["changes"]] == ["tags"]

    async def test_others_cannot_find_out_by_changing_it(
        self, people: People, held: dict[str, Any], subject_id: str
    ) -> None:
        other = await people.member("author")
        path = f"/questions/{held['id']}"
        answers = [
            *[await other.patch(path, json={"key": [letter]}) for letter in "ab"],
            await other.post(f"{path}/retire"),
        ]
        assert [answer.status_code for answer in answers] == [403] * 3
        reports = []
        for letter in "ab":
            columns = "external_id,subject,question,option_a,option_b,key,tags"
            row = f"{held['external_id']},X,{held['text']['en']},This,That,{letter},x"
            files = {"file": f"{columns}\n{row}\n".encode()}
            answer = await other.post("/questions/import", files=files, data={"dry_run": "true"})
            reports.append(answer.json())
        assert reports[0] == reports[1]
        assert [(error["row"], error["field"]) for error in reports[0]["errors"]] == [(2, "file")]

    async def test_an_export_leaves_it_out(
        self, author: httpx.AsyncClient, people: People, held: dict[str, Any], subject_id: str
    ) -> None:
        free = await make(author, subject_id, external_id=f"X-{uuid4()}")
        other = await people.member("author")
        answer = await other.post("/questions/export", json={"subject_id": subject_id})
        assert [row["external_id"] for row in sheet_of(answer)] == [free["external_id"]]
        assert answer.headers["x-questions-left-out"] == "1"
        ours = await author.post("/questions/export", json={"subject_id": subject_id})
        assert len(sheet_of(ours)) == 2

    async def test_a_second_embargoed_test_is_no_way_in(
        self, people: People, engine: AsyncEngine, held: dict[str, Any]
    ) -> None:
        other = await people.member("author")
        await embargoed_test(engine, other, held["id"])
        assert (await other.get(f"/questions/{held['id']}")).json()["key"] is None

    async def test_what_was_published_stays_withheld_when_the_draft_moves_on(
        self, author: httpx.AsyncClient, people: People, engine: AsyncEngine, subject_id: str
    ) -> None:
        made, next_one = await make(author, subject_id), await make(author, subject_id)
        test_id = await embargoed_test(engine, author, made["id"])
        async with unit_of_work(engine) as uow:
            test = await uow.tests.draft(operator().institute_id, test_id)
            test.sections[0].questions[0].question_id = UUID(next_one["id"])
        other = await people.member("author")
        for question in (made, next_one):
            assert (await other.get(f"/questions/{question['id']}")).json()["withheld"] is True

    @pytest.mark.parametrize("ended", ["released_at", "cancelled_at"])
    async def test_it_ends_with_the_exam(
        self, author: httpx.AsyncClient, people: People, engine: AsyncEngine, subject_id: str, ended: str
    ) -> None:
        made = await make(author, subject_id)
        test_id = await embargoed_test(engine, author, made["id"])
        other = await people.member("author")
        assert (await other.get(f"/questions/{made['id']}")).json()["withheld"] is True
        async with unit_of_work(engine) as uow:
            papers = select(ExamPaper.exam_id).where(ExamPaper.test_id == test_id)
            await uow.session.execute(update(Exam).where(Exam.id.in_(papers)).values({ended: NOW}))
        assert (await other.get(f"/questions/{made['id']}")).json()["key"] == {"accepted": [["b"]]}


class TestRemarks:
    async def test_a_dry_run_answers_with_a_copy(self, author: httpx.AsyncClient) -> None:
        files = {"file": workbook(HEADER, ("Which?", "Nile", "Alps", "e"))}
        data = {"dry_run": "true", "report": "sheet", "subject": "Polity"}
        answer = await author.post("/questions/import", files=files, data=data)
        assert answer.status_code == 200, answer.text
        sheet = load_workbook(io.BytesIO(answer.content)).worksheets[0]
        assert sheet["E2"].value.startswith("D2: ")
