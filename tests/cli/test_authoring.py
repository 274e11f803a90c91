"""`ias test` and `ias exam`: an exam day from `docs/examples/exam-day`, and mistakes in files."""

import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from app.cli import app
from app.cli.authoring.yaml_file import parse
from tests.cli.exam_folder import MOVED, NOW, Folder, on_the_tests_database
from tests.cli.imported_sheets import fetch
from tests.socket_schemas import object_schemas

__all__ = ["on_the_tests_database"]


ENDS = (NOW + MOVED["06T11:30"]).isoformat()


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path / "exam")


class TestAnExamDay:
    def test_from_files_to_the_merit_list(self, folder: Folder) -> None:
        folder.run("import", "questions", "csat.csv")
        tried = folder.run("exam", "create", "exam.yaml", "--publish", "--dry-run")
        assert f"exam {folder.name}: created" in tried
        assert "nothing was changed" in tried
        folder.run("exam", "show", folder.name, ends_with=1)

        made = folder.run("exam", "create", "exam.yaml", "--publish")
        for sentence in (
            "gs1.csv: 4 questions created, 0 updated, 0 unchanged",
            f"test {folder.name}-gs1: created",
            f"test {folder.name}-csat: published as version 1 (3 questions, 15/2 marks)",
            f"exam {folder.name}: paper CSAT: added",
            f"exam {folder.name}: changed grants of extra time: 1",
            f"exam {folder.name}: published",
        ):
            assert sentence in made
        again = folder.run("exam", "create", "exam.yaml", "--publish").splitlines()
        assert again == [
            "gs1.csv: 0 questions created, 0 updated, 4 unchanged",
            f"test {folder.name}-gs1: unchanged",
            f"test {folder.name}-gs1: published already",
            f"test {folder.name}-csat: unchanged",
            f"test {folder.name}-csat: published already",
            f"exam {folder.name}: unchanged",
        ]

        shown = folder.run("exam", "show", folder.name)
        papers = dict(re.findall(r"(GS1|CSAT): open, id ([0-9a-f-]{36})\n", shown))
        for code in ("GS1", "CSAT"):
            folder.run("import", "answer-sheets", f"answers-{code.lower()}.csv", "--exam-paper", papers[code])
        refused = folder.run("exam", "release", folder.name, ends_with=1)
        assert "At the command line: --early REASON.\nNothing was changed." in refused
        dry = folder.run("exam", "release", folder.name, "--early", "Sat on paper", "--dry-run")
        assert "2 candidates ranked" in dry
        folder.run("exam", "merit-list", folder.name, str(folder.path / "early.csv"), ends_with=1)

        folder.run("exam", "release", folder.name, "--early", "Sat on paper")
        target = str(folder.path / "merit.csv")
        folder.run("exam", "merit-list", folder.name, target)
        for name in ("merit.pdf", "sheets.zip"):
            out = folder.path / name
            words = [str(out)] if name == "merit.pdf" else ["--out", str(out), "--language", "en"]
            folder.run("exam", "merit-list" if name == "merit.pdf" else "result-sheets", folder.name, *words)
            assert out.read_bytes().startswith(b"%PDF" if name == "merit.pdf" else b"PK")
        assert "no objections" in folder.run("exam", "objections", folder.name)
        folder.run("exam", "objections", folder.name, str(folder.path / "objections.csv"))
        assert (folder.path / "objections-GS1.csv").read_text(encoding="utf-8-sig").startswith("question,")
        rows = Path(target).read_text(encoding="utf-8-sig").splitlines()
        assert [row.split(",")[:2] for row in rows[1:]] == [["1", "R001"], ["2", "R003"]]

    def test_a_roster_names_the_exam_by_its_reference(self, folder: Folder) -> None:
        folder.run("import", "questions", "csat.csv")
        folder.run("exam", "create", "exam.yaml", "--publish")
        roster = folder.path / "roster.csv"
        roster.write_text(f"email,name,roll_number\n{folder.name}@example.org,आरव,R1\n", encoding="utf-8")
        shown = folder.run("import", "users", "roster.csv", "--exam", folder.name, "--dry-run")
        assert "Would be created: 1" in shown
        refused = folder.run("import", "users", "roster.csv", "--exam", "nobody", "--dry-run", ends_with=1)
        assert "There is no such exam" in refused

    def test_a_published_exam_refuses_other_times(self, folder: Folder) -> None:
        folder.run("import", "questions", "csat.csv")
        folder.run("exam", "create", "exam.yaml")
        folder.change("exam.yaml", "code: GS1", "code: GS-1")
        changed = folder.run("exam", "create", "exam.yaml", "--publish")
        assert f"exam {folder.name}: paper GS1: removed" in changed
        assert f"exam {folder.name}: paper GS-1: added" in changed
        folder.change("exam.yaml", 'title: "Prelims: an exam day from files"', "title: Renamed")
        assert f"exam {folder.name}: changed: title" in folder.run("exam", "create", "exam.yaml")
        folder.change("exam.yaml", "counts_for_merit: false", "counts_for_merit: true")
        refused = folder.run("exam", "create", "exam.yaml", ends_with=1)
        assert "The exam is published; its papers stand." in refused

    def test_a_test_follows_its_file(self, folder: Folder, database_url: str) -> None:
        folder.run("test", "compose", "gs1.yaml", "--publish")
        folder.change("gs1.yaml", "duration_seconds: 7200", "duration_seconds: 3600")
        folder.change("gs1.csv", "Who appoints", "By whom is appointed")
        changed = folder.run("test", "compose", "gs1.yaml", "--publish")
        assert "0 questions created, 1 updated, 3 unchanged" in changed
        assert f"test {folder.name}-gs1: changed duration_seconds" in changed
        assert f"test {folder.name}-gs1: published as version 2" in changed
        statement = "select status, paper_version from ias.tests where reference = $1"
        rows = fetch(database_url, statement, f"{folder.name}-gs1")
        assert rows == [{"status": "published", "paper_version": 2}]

    def test_questions_by_a_filter(self, folder: Folder, database_url: str) -> None:
        folder.run("import", "questions", "gs1.csv")
        filtered = f"filter:\n        tags: [{folder.name}]\n        difficulty: medium\n        count: 2"
        folder.change("gs1.yaml", "import:\n        file: gs1.csv", filtered)
        folder.run("test", "compose", "gs1.yaml")
        shown = folder.run("test", "show", f"{folder.name}-gs1").splitlines()
        assert (shown[0].partition(": id ")[0], shown[1]) == (
            "Exam day: General Studies",
            "  General Studies: 2 questions",
        )
        folder.run("test", "show", "no-such-test", ends_with=1)
        statement = """
            select q.external_id from ias.tests t join ias.test_sections s on s.test_id = t.id
            join ias.test_questions p on p.section_id = s.id join ias.questions q on q.id = p.question_id
            where t.reference = $1 order by p.position
        """
        found = [row["external_id"] for row in fetch(database_url, statement, f"{folder.name}-gs1")]
        assert found == [f"{folder.name}-gs-3", f"{folder.name}-gs-4"]
        folder.change("gs1.yaml", "count: 2", "count: 3")
        assert "only 2 active questions match" in folder.run("test", "compose", "gs1.yaml", ends_with=1)


class TestMistakes:
    @pytest.mark.parametrize(
        ("old", "new", "sentences"),
        [
            ("kind: full", "knd: full", [":6: unknown key `knd`. Did you mean `kind`?"]),
            ("  dropped: prorate\n", "", [":8: `marking.dropped` is missing; add it"]),
            ("  correct: 2", "  corect: 2", [":9: unknown key `marking.corect`. Did you mean `correct`?"]),
            ("file: gs1.csv", "file: gs2.csv", [":17: `gs2.csv` cannot be read"]),
            ("duration_seconds: 7200", "duration_seconds: long", [":7: `duration_seconds`:"]),
            ("kind: full", "kind: full\nkind: full", [":7: `kind` is given twice; remove one"]),
            ("kind: full", "kind: [full", ["this is not YAML"]),
            ("reference: ", "reference: a b", [":2: `reference`:"]),
            (
                "import:\n        file: gs1.csv",
                "external_ids: [nobody-1, nobody-2]",
                ["`nobody-1`; import it first", "`nobody-2`; import it first"],
            ),
        ],
    )
    def test_each_names_its_line(self, folder: Folder, old: str, new: str, sentences: list[str]) -> None:
        folder.change("gs1.yaml", old, new)
        told = folder.run("test", "compose", "gs1.yaml", ends_with=1)
        for sentence in sentences:
            assert sentence in told
        assert "Nothing was changed." in told

    @pytest.mark.parametrize(
        ("old", "new", "sentence"),
        [
            ("starts_at: ", "startsat: ", "unknown key `papers.1.startsat`. Did you mean `starts_at`?"),
            ("group: pwbd", "groups: pwbd", "unknown key `accommodations.1.groups`. Did you mean `group`?"),
            ("file: gs1.yaml", "reference: nobody", "no test has the reference `nobody`; compose it first"),
            ("file: csat.yaml", "file: nothing.yaml", "there is no file `nothing.yaml`"),
            ("general: ", "everybody: ", "cutoffs"),
            # All processes of a run must give a test one name, which must not have the time in it.
            pytest.param(
                f"ends_at: {ENDS}",
                "ends_at: 2020-01-01T00:00:00Z",
                "exam.yaml:18: `papers.1.ends_at`: Send a time that",
                id="an end in the past",
            ),
        ],
    )
    def test_in_an_exam(self, folder: Folder, old: str, new: str, sentence: str) -> None:
        folder.run("import", "questions", "csat.csv")
        folder.change("exam.yaml", old, new)
        assert sentence in folder.run("exam", "create", "exam.yaml", ends_with=1)

    def test_papers_are_numbered_as_in_the_file_if_a_later_one_starts_first(self, folder: Folder) -> None:
        folder.run("import", "questions", "csat.csv")
        earlier = NOW - timedelta(minutes=100)
        for position, moment in enumerate(("06T14:30", "06T15:00", "06T16:30")):
            old = (NOW + MOVED[moment]).isoformat()
            file = folder.path / "exam.yaml"
            before, csat = file.read_text(encoding="utf-8").split("code: CSAT")
            csat = csat.replace(old, (earlier + timedelta(minutes=position)).isoformat(), 1)
            file.write_text(f"{before}code: CSAT{csat}", encoding="utf-8")
        told = folder.run("exam", "create", "exam.yaml", "--publish", ends_with=1)
        assert "exam.yaml:25: `papers.2.ends_at`: This time has passed." in told
        assert "papers.1." not in told

    def test_an_error_in_the_test_of_a_paper_names_its_own_file(self, folder: Folder) -> None:
        told = folder.run("exam", "create", "exam.yaml", ends_with=1)
        assert "csat.yaml:15: no question has the external_id" in told


@pytest.mark.parametrize("group", ["test", "exam"])
def test_the_schema_describes_every_key(group: str) -> None:
    result = CliRunner().invoke(app, [group, "schema"])
    assert result.exit_code == 0
    bare = [
        f"{schema['title']}.{name}"
        for schema in object_schemas(json.loads(result.output))
        if schema["title"].endswith("File")
        for name, part in schema["properties"].items()
        if not part.get("description")
    ]
    assert bare == []


def test_values_are_read_as_yaml_1_2_writes_them(tmp_path: Path) -> None:
    file = tmp_path / "values.yaml"
    file.write_text('a: no\nb: 10:30\nc: 2\nd: -2/3\ne: 2.5\nf: "2"\ng: true\nh:\ni: 2026-12-01T10:00:00Z\n')
    expected: dict[str, Any] = {
        "a": "no",
        "b": "10:30",
        "c": 2,
        "d": "-2/3",
        "e": 2.5,
        "f": "2",
        "g": True,
        "h": None,
        "i": "2026-12-01T10:00:00Z",
    }
    assert parse(file).value == expected
