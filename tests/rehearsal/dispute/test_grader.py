"""The independent grader: it is small, it stands alone, and it notices what is wrong."""

import ast
import json
import subprocess
import sys
from copy import deepcopy
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from rehearsal.dispute import grader
from rehearsal.dispute.grader import differences, printed

Json = dict[str, Any]

MARKS = {"correct": "2", "incorrect": "-2/3", "unattempted": "0"}
EXAM: Json = {
    "tie_breaks": "none",
    "papers": [
        {
            "code": "GS1",
            "counts_for_merit": True,
            "qualifying_percent": None,
            "group_percents": {},
            "section_percents": {},
            "session_group": None,
            "dropped": "prorate",
            "rounding": "upsc",
            "sections": [{"choose": None}],
            "questions": [{"number": n, "type": "single_choice", "marks": MARKS} for n in (1, 2, 3)],
            "keys": [
                {"number": 1, "answers": [{"accepted": [["a"]]}, {"accepted": [["b"]]}, {"dropped": True}]}
            ],
        }
    ],
}


def candidate(number: str, category: str, answers: list[Any], shown: tuple[str, str, int, int]) -> Json:
    exact, score, rank, category_rank = shown
    sheet = {"code": "GS1", "key": 1, "answers": answers, "score_exact": exact, "score": score, "rank": rank}
    pwbd = {"pwbd": 1, "pwbd_rank": 1} if number == "3" else {"pwbd": None, "pwbd_rank": None}
    mine = pwbd | {"total": score, "rank": rank, "category_rank": category_rank, "outcome": "ranked"}
    return {"roll_number": number, "category": category, "papers": [sheet], **mine}


CANDIDATES = [
    candidate("1", "general", [["a"], ["b"], ["d"]], ("6", "6.00", 1, 1)),
    candidate("2", "obc", [["a"], ["a", "b"], None], ("2", "2.01", 2, 1)),
    candidate("3", "general", [["a"], ["c"], None], ("2", "2.01", 2, 2)),
    candidate("4", "general", [["c"], None, ["a"]], ("-1", "-0.99", 4, 3)),
    {"roll_number": "5", "category": "sc", "papers": [], "outcome": "absent", "total": None, "rank": None},
]


def found(**changes: Any) -> list[str]:
    """The differences after changes to the third candidate; those that a paper has go to the paper."""
    rows = deepcopy(CANDIDATES)
    for field, value in changes.items():
        of_paper = field in ("score", "score_exact", "answers", "key")
        (rows[2]["papers"][0] if of_paper else rows[2])[field] = value
    return list(differences(EXAM, rows))


class TestDifferences:
    def test_right_results_have_none(self) -> None:
        assert found() == []

    @pytest.mark.parametrize(
        ("planted", "sentence"),
        [
            ({"score": "2.00"}, "3, GS1: score is 2.00, computed 2.01"),
            ({"score_exact": "201/100"}, "3, GS1: score_exact is 201/100, computed 2"),
            ({"total": "4.00"}, "3: total is 4.00, computed 2.01"),
            ({"rank": 3}, "3: rank is 3, computed 2"),
            ({"category_rank": 3}, "3: category_rank is 3, computed 2"),
            ({"pwbd_rank": 2}, "3: pwbd_rank is 2, computed 1"),
            ({"outcome": "incomplete"}, "3: outcome is incomplete, computed ranked"),
        ],
        ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
    )
    def test_a_planted_error_is_noticed(self, planted: Json, sentence: str) -> None:
        assert found(**planted) == [sentence]

    def test_another_answer_changes_scores_and_ranks(self) -> None:
        sentences = found(answers=[["a"], ["b"], None])
        assert "3, GS1: score is 2.01, computed 6.00" in sentences
        assert "3: rank is 2, computed 1" in sentences

    def test_what_it_has_no_rule_for_is_refused(self) -> None:
        exam = deepcopy(EXAM)
        exam["papers"][0]["questions"][1]["type"] = "numeric"
        with pytest.raises(ValueError, match="question 2"):
            list(differences(exam, CANDIDATES))
        exam["papers"][0]["rounding"] = "half_up"
        with pytest.raises(ValueError, match="GS1"):
            list(differences(exam, CANDIDATES))


@pytest.mark.parametrize(
    ("raw", "dropped", "shown"),
    [("1/3", 0, "0.34"), ("-2/3", 0, "-0.66"), ("260/3", 1, "87.54"), ("0", 1, "0.00"), ("5/6", 0, "0.83")],
)
def test_marks_are_printed_as_upsc_prints_them(raw: str, dropped: int, shown: str) -> None:
    assert str(printed(Fraction(raw), Fraction(100, 100 - dropped))) == shown


class TestProgram:
    @pytest.mark.parametrize(("rank", "code"), [(4, 0), (3, 1)])
    def test_runs_alone(self, tmp_path: Path, rank: int, code: int) -> None:
        rows = deepcopy(CANDIDATES)
        rows[3]["rank"] = rank
        export = tmp_path / "export.jsonl"
        export.write_text("".join(json.dumps(line) + "\n" for line in (EXAM, *rows)), "utf-8")
        ended = subprocess.run(
            [sys.executable, "-I", grader.__file__, str(export)], capture_output=True, text=True, check=False
        )
        assert (ended.returncode, ended.stderr) == (code, "")
        assert ended.stdout.endswith(f"5 candidates, {code} differences\n")

    def test_is_short_and_imports_the_standard_library_only(self) -> None:
        source = Path(grader.__file__).read_text("utf-8")
        assert len(source.splitlines()) < 100
        imported = {
            name.split(".")[0]
            for node in ast.walk(ast.parse(source))
            for name in (
                [each.name for each in node.names]
                if isinstance(node, ast.Import)
                else [node.module or ""]
                if isinstance(node, ast.ImportFrom)
                else []
            )
        }
        assert imported <= sys.stdlib_module_names
