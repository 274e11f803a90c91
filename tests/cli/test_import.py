"""`ias import questions`."""

import asyncio
import csv
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
from openpyxl import load_workbook
from typer.testing import CliRunner, Result

from app.cli.import_ import import_app
from app.config import get_settings
from tests.builders.images import encoded, halves
from tests.builders.workbooks import workbook


@pytest.fixture(autouse=True)
def on_the_tests_database(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("MEDIA_URL", (tmp_path / "media").as_uri())
    get_settings.cache_clear()
    yield
    get_settings.cache_clear()


@pytest.fixture
def sheet(tmp_path: Path) -> Path:
    """Three questions, of which the last has no key."""
    file = tmp_path / "paper.csv"
    source = uuid4().hex
    with file.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(["number", "source", "question", "option_a", "option_b", "key"])
        writer.writerows([n, source, f"Which is {n}?", "This", "That", "ab "[n - 1]] for n in (1, 2, 3))
    return file


def run(sheet: Path, *options: str) -> Result:
    return CliRunner().invoke(import_app, ["questions", str(sheet), "--subject", "Polity", *options])


def the_test(database_url: str, title: str) -> list[dict[str, Any]]:
    statement = """
        select t.kind, t.access, t.review, t.status, t.duration_seconds, t.attempts_allowed,
            p.question_count, p.max_marks, p.marking::text
        from ias.tests t join ias.papers p on p.test_id = t.id where t.title->>'en' = $1
    """

    return asyncio.run(fetch(database_url, statement, title))


def the_images(database_url: str, external_id: str) -> list[dict[str, Any]]:
    statement = """
        select m.institute_id::text, m.sha256, m.content_type, m.width
        from ias.questions q join ias.question_versions v
          on v.question_id = q.id and v.number = q.current_version
        cross join jsonb_array_elements_text(to_jsonb(v.media)) as image (id)
        join ias.media m on m.id = image.id::uuid where q.external_id = $1
    """
    return asyncio.run(fetch(database_url, statement, external_id))


async def fetch(database_url: str, statement: str, value: str) -> list[dict[str, Any]]:
    connection = await asyncpg.connect(database_url)
    rows = await connection.fetch(statement, value)
    await connection.close()
    return [dict(row) for row in rows]


class TestQuestions:
    def test_what_is_worth_a_look_is_told(self, tmp_path: Path) -> None:
        file = tmp_path / "alike.csv"
        text = f"Consider the Constitution as it was adopted in November 1949, {uuid4()}, and its preamble"
        rows = "".join(f"{text} {end},This,That,a\n" for end in ("now", "then"))
        file.write_text(f"question,option_a,option_b,key\n{rows}".replace(", ", " "))
        result = run(file)
        assert result.exit_code == 0, result.output
        assert "very similar to the question in row 2" in result.output

    def test_how_far_it_is_is_shown_beside_the_report(self, sheet: Path) -> None:
        result = run(sheet, "--empty-key", "dropped")
        stages = ("Reading rows", "Finding questions", "Writing rows", "Comparing questions")
        shown = [line for line in result.stderr.splitlines() if line.startswith(stages)]
        assert [line.startswith(stage) for line, stage in zip(shown, stages, strict=True)] == [True] * 4
        assert all("3/3" in line for line in shown)
        assert not any(stage in result.stdout for stage in stages)

    def test_a_workbook(self, tmp_path: Path) -> None:
        file = tmp_path / "paper.xlsx"
        header = ("source", "number", "question", "option_a", "option_b", "key")
        file.write_bytes(workbook(header, (uuid4().hex, 1, "Which?", "This", "That", "a")))
        assert "created: 1" in run(file).output
        assert "unchanged: 1" in run(file).output

    def test_images_come_in_a_zip_beside_the_sheet(self, tmp_path: Path, database_url: str) -> None:
        name, archive, file = uuid4().hex, tmp_path / "images.zip", tmp_path / "paper.csv"
        with zipfile.ZipFile(archive, "w") as out:
            out.writestr("map.PNG", encoded(halves()))
            out.writestr("left-over.png", encoded(halves(size=(8, 8))))
        file.write_text(
            "external_id,question,option_a,option_b,key,image\n"
            f"{name},What does the map show?,This,That,a,map.png\n"
        )
        without = run(file)
        assert (without.exit_code, 'send a ZIP with the image "map.png" too' in without.output) == (1, True)
        results = [run(file, "--images", str(archive)) for _ in range(2)]
        assert [result.exit_code for result in results] == [0, 0], results[0].output
        assert "created: 1, updated: 0, unchanged: 0" in results[0].output
        said = " ".join(results[0].output.replace("│", " ").split())  # a narrow table breaks its sentences
        assert "no row names these files of the ZIP, 1 in all: left-over.png" in said
        assert "created: 0, updated: 0, unchanged: 1" in results[1].output
        (kept,) = the_images(database_url, name)
        assert (kept["content_type"], kept["width"]) == ("image/png", 40)
        assert (tmp_path / "media" / kept["institute_id"] / kept["sha256"]).is_file()

    @pytest.mark.parametrize(
        ("content", "complaint"),
        [(b"no ZIP", "The file is not a ZIP file, or is damaged"), (None, "does not exist")],
    )
    def test_what_is_no_zip_of_images(
        self, sheet: Path, tmp_path: Path, content: bytes | None, complaint: str
    ) -> None:
        archive = tmp_path / "images.zip"
        if content is not None:
            archive.write_bytes(content)
        result = run(sheet, "--empty-key", "dropped", "--images", str(archive))
        assert result.exit_code != 0
        assert complaint in " ".join(result.output.split())
        assert "created: 3" in run(sheet, "--empty-key", "dropped").output

    def test_a_second_import_changes_nothing(self, sheet: Path) -> None:
        results = [run(sheet, "--empty-key", "dropped") for _ in range(2)]
        assert [result.exit_code for result in results] == [0, 0]
        assert "created: 3, updated: 0, unchanged: 0" in results[0].output
        assert "created: 0, updated: 0, unchanged: 3" in results[1].output

    def test_columns_that_are_updated_are_named(self, sheet: Path) -> None:
        run(sheet, "--empty-key", "dropped")
        sheet.write_text(sheet.read_text().replace("That", "These").replace("Which is 1?", "Which is one?"))
        planned, done = (run(sheet, "--empty-key", "dropped", *more) for more in (["--dry-run"], []))
        assert "Columns that would be updated: question (1), options (3)" in planned.output
        assert "Columns updated: question (1), options (3)" in done.output

    def test_a_dry_run_changes_nothing(self, sheet: Path) -> None:
        for _ in range(2):
            result = run(sheet, "--empty-key", "draft", "--dry-run")
            assert result.exit_code == 0
            assert "Would be created: 3" in result.output

    def test_a_wrong_row_is_named_and_nothing_imported(self, sheet: Path, database_url: str) -> None:
        title = uuid4().hex
        result = run(sheet, "--publish-as-test", title)
        assert result.exit_code == 1
        assert "The key is missing" in result.output
        assert "nothing was imported" in result.output
        assert the_test(database_url, title) == []

    def test_a_file_that_is_no_sheet(self, tmp_path: Path) -> None:
        file = tmp_path / "notes.csv"
        file.write_bytes("Grüße".encode("latin-1"))
        result = run(file)
        assert result.exit_code == 1
        assert "not in UTF-8" in result.output

    def test_a_sheet_is_published_as_a_test(self, sheet: Path, database_url: str) -> None:
        title = uuid4().hex
        result = run(sheet, "--empty-key", "dropped", "--publish-as-test", title)
        assert result.exit_code == 0, result.output
        (test,) = the_test(database_url, title)
        marking = test.pop("marking")
        assert '"incorrect": "-2/3"' in marking
        assert '"rounding": "upsc"' in marking
        assert test == {
            "kind": "full",
            "access": "free",
            "review": "after_submit",
            "status": "published",
            "duration_seconds": 7200,
            "attempts_allowed": None,
            "question_count": 3,
            "max_marks": "6",
        }

    def test_a_title_that_a_test_has_is_refused(self, sheet: Path, database_url: str) -> None:
        title = uuid4().hex
        command = ("--empty-key", "dropped", "--publish-as-test", title)
        assert run(sheet, *command).exit_code == 0
        sheet.write_text(sheet.read_text().replace("Which is 1?", "Which is one?"))
        for more in ([], ["--dry-run"]):
            refused = run(sheet, *command, *more)
            assert refused.exit_code == 1
            said = " ".join(refused.output.split())
            assert f'There is a test "{title}" already' in said
            assert "Choose another title, or archive that test first. Nothing was imported." in said
        assert len(the_test(database_url, title)) == 1
        assert "updated: 1" in run(sheet, "--empty-key", "dropped", "--dry-run").output
        archived = "update ias.tests set status = 'archived' where title->>'en' = $1"
        asyncio.run(fetch(database_url, archived, title))
        assert run(sheet, *command).exit_code == 0
        assert len(the_test(database_url, title)) == 2

    def test_its_sections_marks_and_languages_are_those_of_the_rows(
        self, tmp_path: Path, database_url: str
    ) -> None:
        file, title = tmp_path / "paper.csv", uuid4().hex
        with file.open("w", encoding="utf-8", newline="") as out:
            writer = csv.writer(out)
            header = ["Section", "Marks", "Negative marks", "question", "question_hi"]
            writer.writerow([*header, "option_a", "option_a_hi", "option_b", "option_b_hi", "key"])
            for section, marks, negative in (("Quant", "4", "1"), ("Verbal", "", ""), ("Quant", "3", "-2/3")):
                text = uuid4().hex
                row = [section, marks, negative, f"Which is {text}?", f"{text} कौन सा है?"]
                writer.writerow([*row, "This", "यह", "That", "वह", "a"])
        result = run(file, "--publish-as-test", title)
        assert result.exit_code == 0, result.output
        assert "3 questions, 9 marks" in result.output
        statement = """
            select p.languages, p.document from ias.tests t join ias.papers p on p.test_id = t.id
            where t.title->>'en' = $1
        """
        (paper,) = asyncio.run(fetch(database_url, statement, title))
        document = json.loads(paper["document"])
        assert paper["languages"] == ["en", "hi"]
        assert [(each["name"]["en"], len(each["question_ids"])) for each in document["sections"]] == [
            ("Quant", 2),
            ("Verbal", 1),
        ]
        assert [(each["marks"], each["negative_marks"]) for each in document["questions"]] == [
            ("4", "-1"),
            ("3", "-2/3"),
            ("2", "-2/3"),
        ]
        assert all("कौन" in each["text"]["hi"] for each in document["questions"])
        assert run(file).output.count("this column is used only by") == 3

    @pytest.mark.parametrize(
        ("columns", "languages"), [(("_hi",), ["hi"]), (("_hi", ""), ["en", "hi"])], ids=["alone", "first"]
    )
    def test_a_sheet_with_hindi_alone_or_first_is_published(
        self, tmp_path: Path, database_url: str, columns: tuple[str, ...], languages: list[str]
    ) -> None:
        file, title = tmp_path / "paper.csv", uuid4().hex
        with file.open("w", encoding="utf-8", newline="") as out:
            writer = csv.writer(out)
            names = ("question", "option_a", "option_b")
            writer.writerow(["key", *(f"{name}{column}" for name in names for column in columns)])
            texts = (f"{uuid4()} कौन सा है?", "यह", "वह")
            writer.writerow(["a", *(text for text in texts for _ in columns)])
        result = run(file, "--publish-as-test", title)
        assert result.exit_code == 0, result.output
        statement = """
            select p.languages from ias.tests t join ias.papers p on p.test_id = t.id
            where $1 in (t.title->>'en', t.title->>'hi')
        """
        assert asyncio.run(fetch(database_url, statement, title)) == [{"languages": languages}]

    def test_a_test_that_cannot_be_published_leaves_no_questions(self, sheet: Path) -> None:
        refused = run(sheet, "--empty-key", "draft", "--publish-as-test", uuid4().hex)
        assert refused.exit_code == 1
        assert "The question is a draft" in refused.output
        assert "created: 3" in run(sheet, "--empty-key", "dropped").output

    @pytest.mark.parametrize("options", [("--correct", "two"), ("--incorrect", "2/0"), ("--correct", "-1")])
    def test_marks_must_be_marks(self, sheet: Path, options: tuple[str, str]) -> None:
        result = run(sheet, "--empty-key", "dropped", "--publish-as-test", uuid4().hex, *options)
        assert result.exit_code != 0
        assert result.exception is None or isinstance(result.exception, SystemExit)


def test_a_copy_of_the_sheet_has_remarks(tmp_path: Path) -> None:
    sheet, copy = tmp_path / "questions.csv", tmp_path / "remarks.xlsx"
    sheet.write_text("question,option_a,option_b,key\nWhich?,One,Two,e\n")
    arguments = ["questions", str(sheet), "--subject", "Polity", "--remarks", str(copy)]
    result = CliRunner().invoke(import_app, arguments)
    assert result.exit_code == 1, result.output
    (cell,) = [row[4].value for row in load_workbook(copy).worksheets[0].iter_rows(min_row=2)]
    assert cell.startswith("D2: ")


def test_a_legacy_font_is_shown_before_it_is_imported(tmp_path: Path) -> None:
    sheet = tmp_path / "questions.csv"
    text = f"Hkkjr {uuid4().int}"
    sheet.write_text(f"question_hi,option_a_hi,option_b_hi,key\n{text},gk¡,ugha,a\n")
    arguments = ["questions", str(sheet), "--subject", "Polity", "--legacy-font", "krutidev"]
    result = CliRunner().invoke(import_app, arguments)
    assert result.exit_code == 1
    assert "add --yes" in result.output
    result = CliRunner().invoke(import_app, [*arguments, "--yes"])
    assert (result.exit_code, "Questions created: 1" in result.output) == (0, True), result.output
