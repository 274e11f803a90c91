"""What a report says where there is little, and of questions with several right options."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import orjson
import pytest

from app.engine.statistics.test_analysis import MIN_GROUP_SIZE
from app.repositories.analytics.answer_sheets import SheetsInBulk
from app.services.reports.composing import compose
from app.services.reports.content import MaterialItem, ReportMaterial

FIGURES = {"facility": 0.5, "discrimination_index": 20.0, "discriminative_efficiency": 30.0}
NOTHING: dict[str, Any] = {
    "scores": None,
    "items": None,
    "irt": None,
    "dif": [],
    "flags": [],
}


def a_material(answers: Sequence[list[str] | None], **analysis: Any) -> ReportMaterial:
    """A test of one question, whose right answer is a and b together."""
    sheets = SheetsInBulk(
        answers=[orjson.dumps([[answer] for answer in answers])],
        outcomes=["u" if answer is None else "ic"[answer == ["a", "b"]] for answer in answers],
        scores=[float(answer == ["a", "b"]) for answer in answers],
    )
    item = MaterialItem("Which?", "A and B", ("a", "b", "c"), frozenset("ab"), ["Mock, version 1"], 1 / 3)
    return ReportMaterial("Mock", "", [], len(answers), 1.0, [item], NOTHING | analysis, [None], sheets)


def test_too_few_attempts() -> None:
    content = compose(a_material([["a"], None]))
    assert [point.sentence for point in content.look_first] == [
        "There is too little for statistics yet: see below what is missing."
    ]
    assert "An item analysis needs at least 10 attempts; there are 2." in content.missing
    assert (content.items, content.scores, content.facts) == ([], [], [])


def test_options_marked_together_count_each() -> None:
    """And an option that is often marked with others is not called rarely chosen."""
    flag = {"flag": "option_rarely_chosen", "position": 1, "by": None, "group": None}
    flags = [flag | {"option": 0}, flag | {"option": 2}]
    answers: Sequence[list[str] | None] = [["a", "b"]] * 60 + [["b"]] * 36 + [["c"]] * 3 + [None]
    (item,) = compose(a_material(answers, items=[FIGURES], flags=flags)).items
    assert [(each.label, each.is_right) for each in item.options] == [("A", True), ("B", True), ("C", False)]
    assert [each.share for each in item.options] == pytest.approx([0.6, 0.96, 0.03])
    assert item.blank == pytest.approx(0.01)
    assert list(item.findings) == ["Hardly anybody chooses option C of question 1."]
    assert (item.is_urgent, list(item.papers)) == (False, ["Mock, version 1"])


def test_small_groups_are_hidden() -> None:
    answers: Sequence[list[str] | None] = [["a", "b"]] * (MIN_GROUP_SIZE - 1) + [["c"]] * MIN_GROUP_SIZE
    (item,) = compose(a_material(answers, items=[FIGURES])).items
    lowest, *_, best = item.options[2].by_group
    assert lowest == 1
    assert best is None
    assert not item.findings
    assert item.papers == []


def test_nothing_analyzed() -> None:
    content = compose(replace(a_material([]), analysis=None, items=[], sheets=SheetsInBulk()))
    assert content.missing == [
        "The results of this test have not been analyzed yet, or it has none. Refresh the statistics."
    ]
