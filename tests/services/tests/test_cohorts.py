"""The fingerprint of a marking: equal for versions that mark alike, and different for all others."""

from collections.abc import Callable
from copy import deepcopy
from importlib import import_module
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.services.tests.cohorts import marking_fingerprint

MIGRATION = "migrations.versions.0013_cohorts_of_markings"
IDS = [f"00000000-0000-7000-8000-00000000000{number}" for number in range(4)]

Rules = dict[str, Any]
Key = dict[str, Any]


def question(question_id: str, **marks: str) -> Rules:
    marking = {"correct": "2", "incorrect": "-2/3", "unattempted": "0", "partial": "none"}
    return {"id": question_id, "type": "single_choice", "options": ["a", "b"], "marks": marking | marks}


def section(*question_ids: str, **changes: Any) -> Rules:
    return {"id": "s", "name": {"en": "S"}, "choose": None, "question_ids": list(question_ids)} | changes


def rules(*sections: Rules, **changes: Any) -> Rules:
    questions = [question(question_id) for each in sections for question_id in each["question_ids"]]
    return {
        "sections": list(sections),
        "questions": questions,
        "dropped": "prorate",
        "rounding": "upsc",
    } | changes


def key() -> Key:
    return {question_id: {"key": {"accepted": [["a"]]}, "explanation": None} for question_id in IDS}


PLAIN = rules(section(*IDS[:2]), section(*IDS[2:]))
Change = Callable[[Rules, Key], Any]


class TestTable:
    @pytest.mark.parametrize(
        "change",
        [
            pytest.param(lambda r, k: r["questions"].reverse(), id="order"),
            pytest.param(lambda r, k: r["sections"].reverse(), id="order of sections"),
            pytest.param(lambda r, k: r.update(sections=[section(*IDS)]), id="sections without rules"),
            pytest.param(lambda r, k: r["sections"][0].update(id="t", name={"en": "T"}), id="name"),
            pytest.param(lambda r, k: r["questions"][0]["marks"].update(correct="4/2"), id="2 is 4/2"),
            pytest.param(lambda r, k: r["questions"][0]["marks"].pop("unattempted"), id="0 is the default"),
            pytest.param(lambda r, k: k[IDS[0]].update(explanation={"en": "Why"}), id="explanation"),
            pytest.param(lambda r, k: r["questions"][0]["options"].reverse(), id="order of options"),
        ],
    )
    def test_what_is_no_marking(self, change: Change) -> None:
        assert changed(change) == marking_fingerprint(PLAIN, key())

    @pytest.mark.parametrize(
        "change",
        [
            pytest.param(lambda r, k: r["questions"][0]["marks"].update(correct="3"), id="marks"),
            pytest.param(lambda r, k: r["questions"][0]["marks"].update(incorrect="0"), id="negative marks"),
            pytest.param(
                lambda r, k: r["questions"][0]["marks"].update(partial="per_pair"), id="partial rule"
            ),
            pytest.param(lambda r, k: r["sections"][0].update(choose=1), id="choose"),
            pytest.param(lambda r, k: r["sections"][0].update(minimum_marks="1"), id="minimum"),
            pytest.param(lambda r, k: r.update(dropped="full_marks_to_all"), id="dropped"),
            pytest.param(lambda r, k: r.update(rounding="half_up"), id="rounding"),
            pytest.param(lambda r, k: r.update(most_unmarked_percent="10"), id="most unmarked"),
            pytest.param(lambda r, k: k[IDS[0]].update(key={"accepted": [["b"]]}), id="key"),
            pytest.param(lambda r, k: k[IDS[0]].update(key={"dropped": True}), id="dropped question"),
            pytest.param(lambda r, k: r.update(sections=[section(*IDS[:2])]), id="fewer questions"),
        ],
    )
    def test_what_is_another_marking(self, change: Change) -> None:
        assert changed(change) != marking_fingerprint(PLAIN, key())

    def test_where_the_first_answers_count_their_order_is_part_of_the_marking(self) -> None:
        chosen, turned = rules(section(*IDS, choose=2)), rules(section(*reversed(IDS), choose=2))
        assert marking_fingerprint(chosen, key()) != marking_fingerprint(turned, key())


def changed(change: Change) -> str:
    changed_rules, changed_key = deepcopy(PLAIN), key()
    change(changed_rules, changed_key)
    return marking_fingerprint(changed_rules, changed_key)


marks = st.sampled_from(["0", "1", "2", "-2/3", "1.5", "3/2"])
papers = st.builds(
    lambda order, cut, correct, choose, minimum, percent: rules(
        section(*order[:cut], choose=choose),
        section(*order[cut:], **({"minimum_marks": minimum} if minimum else {})),
        questions=[question(each, correct=correct) for each in order],
        **({"most_unmarked_percent": percent} if percent else {}),
    ),
    st.permutations(IDS),
    st.integers(0, 4),
    marks,
    st.none() | st.integers(1, 3),
    st.none() | marks,
    st.none() | st.sampled_from(["10", "12.5"]),
)


class TestMigration:
    @given(papers)
    def test_computes_the_same(self, paper: Rules) -> None:
        """Otherwise a version that is published after the migration would not join the one before."""
        assert import_module(MIGRATION).marking_fingerprint(paper, key()) == marking_fingerprint(paper, key())
