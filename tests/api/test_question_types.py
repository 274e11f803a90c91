"""Every question type from its creation to its result: by the API, in sheets, on paper."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import httpx
import orjson
import pytest
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.orm import undefer

from app.engine.question_types import QUESTION_TYPES
from app.models import Paper, QuestionVersion
from app.services.unit_of_work import unit_of_work
from tests.builders.attempts import start, take_test
from tests.builders.content import UPSC, PublishedTest, publish_for

Json = dict[str, Any]


@dataclass(frozen=True)
class Case:
    """A question of a type, and answers to it with what they earn under +2, -2/3."""

    key: Any
    stored: Json
    earned: list[tuple[Any, str]]
    refused: list[Any]
    """What is no answer to it."""
    options: str = ""
    secret: str = "SECRET"
    """A part of the key that nothing for candidates may hold."""
    marking: Json = field(default_factory=dict)


CASES = {
    "single_choice": Case(
        key=["b"],
        stored={"accepted": [["b"]]},
        earned=[(["b"], "2.00"), (["a"], "-0.66"), (["a", "b"], "-0.66")],
        refused=["b", [], ["e"], ["a", "a"], {"a": "b"}],
        options="abcd",
    ),
    "multiple_choice": Case(
        key={"accepted": [["c", "a"]]},
        stored={"accepted": [["a", "c"]]},
        earned=[(["c", "a"], "2.00"), (["a"], "1.00"), (["a", "b"], "-0.66")],
        refused=["ac", [], ["e"]],
        options="abcd",
        marking={"partial": "proportional"},
    ),
    "true_false": Case(
        key=["true"],
        stored={"accepted": [["true"]]},
        earned=[(["true"], "2.00"), (["false"], "-0.66")],
        refused=["true", ["yes"], True],
    ),
    "numeric": Case(
        key={"value": "3.14", "tolerance": "0.01"},
        stored={"value": "3.14", "tolerance": "0.01"},
        earned=[("22/7", "2.00"), ("3.2", "-0.66")],
        refused=["about 3", ["3.14"], 3.14, "9" * 33],
        secret="3.14",
    ),
    "ranges": Case(
        key={"ranges": [["9.5", "9.75"], ["-1", " 0 "]]},
        stored={"ranges": [["-1", "0"], ["9.5", "9.75"]]},
        earned=[("9.75", "2.00"), ("-1/2", "2.00"), ("9.7501", "-0.66"), ("1", "-0.66")],
        refused=["", ["9.5"], 9.5, "1e1"],
        secret="9.5",
    ),
    "matching": Case(
        key={"pairs": {"2": [" a "], "1": ["c", "b"]}},
        stored={"pairs": {"1": ["b", "c"], "2": ["a"]}},
        earned=[({"1": "c", "2": "a"}, "2.00"), ({"1": "b", "2": "d"}, "1.00"), ({"1": "a"}, "-0.66")],
        refused=[{}, {"3": "a"}, {"1": "2"}, {"1": ["b"]}, ["b", "a"], "1-b 2-a"],
        options="12abcd",
        secret="pairs",
        marking={"partial": "per_pair"},
    ),
    "text": Case(
        key={"accepted": ["New  SECRET", "secret", " Secret "]},
        stored={"accepted": ["New SECRET", "secret"], "case_sensitive": False},
        earned=[("new secret", "2.00"), ("SECRET", "2.00"), ("sekret", "-0.66")],
        refused=["", "x" * 201, ["secret"], "a\u0000b"],
    ),
}


async def sent(client: httpx.AsyncClient, method: str, path: str, **request: Any) -> Json:
    answer = await client.request(method, path, **request)
    assert answer.is_success, answer.text
    return dict(answer.json())


async def new_subject(author: httpx.AsyncClient) -> str:
    body = {"slug": uuid4().hex, "name": f"Types {uuid4().hex}"}
    return str((await sent(author, "post", "/subjects", json=body))["id"])


async def created(
    author: httpx.AsyncClient, name: str, subject_id: str | None = None, **changes: Any
) -> Json:
    """A question of the type, by default alone in its subject."""
    title = f"Types {uuid4().hex}"
    body = {
        "subject_id": subject_id or await new_subject(author),
        "type": name,
        "text": {"en": f"A question of {title}?", "hi": "एक प्रश्न?"},
        "options": [
            {"id": letter, "text": {"en": f"Option {letter}", "hi": f"विकल्प {letter}"}}
            for letter in CASES[name].options
        ],
        "key": CASES[name].key,
    }
    return await sent(author, "post", "/questions", json=body | changes)


async def published(author: httpx.AsyncClient, questions: dict[str, Json]) -> PublishedTest:
    """A test with a section for each question, which is marked as the case of its type says."""
    sections = [
        {"name": {"en": name, "hi": name}, "question_ids": [question["id"]], "marking": CASES[name].marking}
        for name, question in questions.items()
    ]
    body = {
        "title": {"en": f"Types {uuid4().hex}", "hi": "प्रकार"},
        "kind": "practice",
        "duration_seconds": 600,
        "languages": ["en", "hi"],
        "marking": UPSC,
        "sections": sections,
        "shuffle": {"questions": True, "options": True},
    }
    test = await sent(author, "post", "/tests", json=body)
    await sent(author, "post", f"/tests/{test['id']}/publish")
    return PublishedTest(UUID(test["id"]), [UUID(each["id"]) for each in questions.values()])


@dataclass(frozen=True)
class PaperOfTypes:
    """A published test with a section for each type, which has one question."""

    questions: dict[str, Json]
    made: PublishedTest

    def rounds(self) -> list[dict[str, tuple[Any, str]]]:
        """One answer to each question and what it earns, then the next ones, until there are no more."""
        most = max(len(case.earned) for case in CASES.values())
        return [
            {name: case.earned[number] for name, case in CASES.items() if number < len(case.earned)}
            for number in range(most)
        ]

    def place(self, name: str) -> int:
        return list(self.questions).index(name)


@pytest.fixture(scope="module")
async def paper(author: httpx.AsyncClient) -> PaperOfTypes:
    """No test changes it."""
    subject_id = await new_subject(author)
    questions = {name: await created(author, name, subject_id) for name in CASES}
    return PaperOfTypes(questions, await published(author, questions))


def scores(result: Json) -> dict[str, str]:
    """The score of each section, by the name of its type."""
    return {section["name"]["en"]: section["score"] for section in result["sections"]}


class TestOptionsOfTheServer:
    @pytest.mark.parametrize(("languages", "shown"), [(["ta"], ["en", "hi"]), (["ta", "hi"], ["hi"])])
    async def test_they_have_words_in_a_test_of_another_language(
        self, author: httpx.AsyncClient, candidate: httpx.AsyncClient, languages: list[str], shown: list[str]
    ) -> None:
        """True, false and "not attempted" are known in English and Hindi only."""
        question = await created(author, "true_false", text={"ta": f"கேள்வி {uuid4().hex}"})
        body = {
            "title": {"ta": "தேர்வு"},
            "kind": "practice",
            "duration_seconds": 600,
            "languages": languages,
            "marking": UPSC | {"not_attempted_option": "e"},
            "sections": [{"name": {"ta": "ஒன்று"}, "question_ids": [question["id"]]}],
        }
        test = await sent(author, "post", "/tests", json=body)
        await sent(author, "post", f"/tests/{test['id']}/publish")
        made = PublishedTest(UUID(test["id"]), [UUID(question["id"])])
        await start(candidate, made)
        document = await sent(candidate, "get", f"{made.path}/questions")
        options = document["questions"][0]["options"]
        assert [(option["id"], sorted(option["text"])) for option in options] == [
            ("true", shown),
            ("false", shown),
            ("e", shown),
        ]


@pytest.mark.parametrize("sheet_format", ["csv", "xlsx"])
async def test_sheets(author: httpx.AsyncClient, sheet_format: str) -> None:
    """A sheet with a question of each type is the same questions again, also after they have changed."""
    subject = (await created(author, "text"))["subject_id"]
    made = [await created(author, name, subject) for name in CASES if name != "text"]
    wanted = {"subject_id": subject, "format": sheet_format}
    sheet = await author.post("/questions/export", json=wanted)
    assert sheet.headers["x-questions-exported"] == str(len(CASES))
    report = await sent(author, "post", "/questions/import", files={"file": sheet.content})
    assert (report["errors"], report["unchanged"]) == ([], len(CASES)), report
    for question in made:
        await sent(author, "patch", f"/questions/{question['id']}", json={"difficulty": "hard"})
    report = await sent(author, "post", "/questions/import", files={"file": sheet.content})
    assert (report["errors"], report["updated"], report["unchanged"]) == ([], len(made), 1), report
    for question in made:
        versions = await sent(author, "get", f"/questions/{question['id']}/versions/3/diff?against=1")
        assert versions["changes"] == []


async def test_prints(author: httpx.AsyncClient, paper: PaperOfTypes) -> None:
    for part in ("paper", "solutions"):
        for language in ("en", "hi"):
            asked = {"language": language, "part": part}
            pdf = await author.get(f"{paper.made.path}/print", params=asked, timeout=60)
            assert pdf.content.startswith(b"%PDF-"), pdf.text


class TestTheWholeWay:
    def test_each_type_has_a_case(self) -> None:
        assert set(CASES) == {kind.name for kind in QUESTION_TYPES.values() if kind.is_marked}

    async def test_from_creation_to_the_paper(
        self, candidate: httpx.AsyncClient, paper: PaperOfTypes
    ) -> None:
        sitting = await start(candidate, paper.made)
        document = await candidate.get(f"{paper.made.path}/questions")
        for name, case in CASES.items():
            assert paper.questions[name]["key"] == case.stored
            assert case.secret not in document.text, name
            for answer in case.refused:
                refused = await sitting.save(sitting.response(paper.place(name), answer))
                assert refused.status_code == 422, (name, answer)
                assert {error["field"] for error in refused.json()["errors"]} == {"responses.0.answer"}

    async def test_from_the_paper_to_the_result(
        self, candidate: httpx.AsyncClient, paper: PaperOfTypes
    ) -> None:
        sitting = await start(candidate, paper.made)
        last: dict[str, tuple[Any, str]] = {}
        for revision, answers in enumerate(paper.rounds(), start=1):
            responses = [
                sitting.response(paper.place(name), answer, revision) for name, (answer, _) in answers.items()
            ]
            saved = await sitting.save(*responses)
            assert saved.json()["saved"] == len(answers), saved.text
            again = await sitting.save(*responses)
            assert again.json()["known"] == len(answers), again.text
            last |= answers
        answered = {paper.questions[name]["id"]: answer for name, (answer, _) in last.items()}
        resumed = (await start(candidate, paper.made)).attempt
        assert {each["question_id"]: each["answer"] for each in resumed["responses"]} == answered
        await sitting.submit()
        result = await sitting.result()
        assert scores(result) == {name: score for name, (_, score) in last.items()}
        assert {each["question_id"]: each["answer"] for each in result["questions"]} == answered
        keys = {paper.questions[name]["id"]: case.stored for name, case in CASES.items()}
        assert {each["question_id"]: each["key"] for each in result["questions"]} == keys

    async def test_marks(self, candidate: httpx.AsyncClient, paper: PaperOfTypes) -> None:
        for answers in paper.rounds():
            given = {paper.place(name): answer for name, (answer, _) in answers.items()}
            result = scores(await take_test(candidate, paper.made, given))
            assert {name: result[name] for name in answers} == {
                name: score for name, (_, score) in answers.items()
            }

    async def test_a_version_that_changes_the_key_is_compared(self, author: httpx.AsyncClient) -> None:
        subject_id = await new_subject(author)
        for name in CASES:
            question = await created(author, name, subject_id)
            await sent(author, "patch", f"/questions/{question['id']}", json={"key": OTHER_KEYS[name]})
            diff = await sent(author, "get", f"/questions/{question['id']}/versions/2/diff")
            changes = [(each["field"], each["before"]) for each in diff["changes"]]
            assert changes == [("key", question["key"])], name


OTHER_KEYS: dict[str, Any] = {
    "single_choice": ["c"],
    "multiple_choice": ["b", "d"],
    "true_false": ["false"],
    "numeric": {"value": "2"},
    "ranges": {"ranges": [["1", "2"]]},
    "matching": {"pairs": {"1": ["a"], "2": ["a"]}},
    "text": {"accepted": ["other"], "case_sensitive": True},
}


BreakQuestion = Callable[[UUID, Json], Awaitable[None]]


@pytest.fixture
async def break_question(engine: AsyncEngine) -> AsyncIterator[BreakQuestion]:
    """Store another type or key for a question. It is undone afterwards: other tests export all questions."""
    broken: list[QuestionVersion] = []

    async def store(question_id: UUID, values: Json) -> None:
        async with unit_of_work(engine) as uow:
            statement = update(QuestionVersion).where(QuestionVersion.question_id == question_id)
            await uow.session.execute(statement.values(**values))

    async def change(question_id: UUID, values: Json) -> None:
        async with unit_of_work(engine) as uow:
            statement = select(QuestionVersion).where(QuestionVersion.question_id == question_id)
            broken.append((await uow.session.scalars(statement)).one())
        await store(question_id, values)

    yield change
    for version in broken:
        await store(version.question_id, {"type": version.type, "key": version.key})


class TestUnreadable:
    """Data of a later version, or data that somebody broke, is named and nothing else fails."""

    @pytest.mark.parametrize(
        "change", [{"type": "essay"}, {"key": {"essays": 1}}], ids=["an unknown type", "an unknown key"]
    )
    async def test_a_draft_with_it_is_not_published(
        self, author: httpx.AsyncClient, engine: AsyncEngine, break_question: BreakQuestion, change: Json
    ) -> None:
        made = await publish_for(engine, author)
        await break_question(made.question_ids[1], change)
        refused = await author.post(f"{made.path}/publish")
        assert refused.status_code == 409, refused.text
        assert [error["field"] for error in refused.json()["errors"]] == ["sections.0.question_ids.1"]

    @pytest.mark.parametrize(
        "change", [{"type": "essay"}, {"key": {"essays": 1}}], ids=["an unknown type", "an unknown key"]
    )
    async def test_an_export_names_it(
        self, author: httpx.AsyncClient, break_question: BreakQuestion, change: Json
    ) -> None:
        question = await created(author, "numeric")
        await break_question(UUID(question["id"]), change)
        problem = await author.post("/questions/export", json={"subject_id": question["subject_id"]})
        assert (problem.status_code, problem.json()["code"]) == (409, "question_unreadable")
        assert problem.json()["question_id"] == question["id"]

    @pytest.mark.parametrize("part", ["solutions", "paper"])
    async def test_a_printed_paper_names_it(
        self, author: httpx.AsyncClient, engine: AsyncEngine, part: str
    ) -> None:
        made = await publish_for(engine, author)
        await break_paper(engine, made, str(made.question_ids[1]))
        problem = await author.get(f"{made.path}/print", params={"part": part, "language": "en"})
        assert (problem.status_code, problem.json()["code"]) == (409, "question_unreadable")
        assert problem.json()["question_id"] == str(made.question_ids[1])

    async def test_a_save_names_it(
        self, author: httpx.AsyncClient, candidate: httpx.AsyncClient, engine: AsyncEngine
    ) -> None:
        made = await publish_for(engine, author)
        await break_paper(engine, made, str(made.question_ids[1]))
        sitting = await start(candidate, made)
        assert (await sitting.save(sitting.response(0, ["a"]))).status_code == 200
        problem = await sitting.save(sitting.response(1, ["a"]))
        assert (problem.status_code, problem.json()["code"]) == (409, "question_unreadable")
        assert problem.json()["question_id"] == str(made.question_ids[1])


async def break_paper(engine: AsyncEngine, made: PublishedTest, question_id: str) -> None:
    """Store another type for a question, in the paper's document and in its rules."""
    async with unit_of_work(engine) as uow:
        paper = await uow.session.scalar(select(Paper).where(Paper.test_id == made.id).options(undefer("*")))
        assert paper is not None
        document = orjson.loads(paper.document)
        rules = orjson.loads(orjson.dumps(paper.rules))
        for entry in (*document["questions"], *rules["questions"]):
            if entry["id"] == question_id:
                entry["type"] = "essay"
        paper.document, paper.rules = orjson.dumps(document), rules
