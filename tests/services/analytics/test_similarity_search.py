"""Which pairs a search compares, and what it says of those that it flags."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest

from app.services.analytics.answer_patterns import MAX_PATTERNS, patterns_of
from app.services.analytics.similarity_search import PairKind, Search, SearchResult, search
from tests.builders.results import simulated_sheets

NOON = datetime(2026, 6, 7, 12, 0, tzinfo=UTC)
QUESTIONS, CANDIDATES = 80, 150


def a_search(**changes: Any) -> Search:
    """150 sheets, of which the last is copied from the first in its first sixty questions."""
    keys = "abcd" * 20
    sheets = simulated_sheets(keys, CANDIDATES)
    sheets[-1][:60] = sheets[0][:60]
    outcomes = [
        "".join("u" if each is None else "ci"[each != [key]] for each, key in zip(sheet, keys, strict=True))
        for sheet in sheets
    ]
    plain = Search(
        questions=QUESTIONS,
        answers=[orjson.dumps(sheets[:25]), orjson.dumps(sheets[25:])],
        outcomes=outcomes,
        devices=[None] * CANDIDATES,
        submitted_at=[None] * CANDIDATES,
        roll_numbers=[None] * CANDIDATES,
        kind="all",
        rows=None,
        false_flags=0.05,
        most_pairs=20_000,
        most_shown=5,
    )
    return replace(plain, **changes)


def flagged(found: SearchResult) -> list[tuple[int, int]]:
    return [(each.first, each.second) for each in found.evidence]


def test_a_copy_is_flagged_with_its_evidence() -> None:
    wanted = a_search()
    found = search(wanted)
    assert (found.pairs, found.flagged, flagged(found)) == (11_175, 1, [(0, 149)])
    assert found.threshold == pytest.approx(0.05 / 11_175)
    (copy,) = found.evidence
    sheets = [sheet for part in wanted.answers for sheet in orjson.loads(part)]
    equal = [
        position for position in range(QUESTIONS) if sheets[0][position] == sheets[149][position] is not None
    ]
    outcomes = [wanted.outcomes[0][position] for position in equal]
    assert copy.both >= copy.equal == len(equal) > 50 > copy.expected
    assert copy.right == outcomes.count("c")
    assert list(copy.wrong) == [position + 1 for position in equal if wanted.outcomes[0][position] == "i"]
    assert copy.probability <= 0.05 / 11_175


@pytest.mark.parametrize(
    ("kind", "changes", "pairs"),
    [
        pytest.param("device", {"devices": ["x", None, "y"] * 50}, 2 * 1225, id="one device"),
        pytest.param(
            "minute",
            {"submitted_at": [NOON + timedelta(seconds=40 * place) for place in range(150)]},
            149,
            id="within a minute",
        ),
        pytest.param(
            "neighbors",
            {"roll_numbers": [str(number) for number in range(150)]},
            146 * 4 + 3 + 2 + 1,
            id="at most four places apart",
        ),
        pytest.param("neighbors", {}, 0, id="no roll numbers"),
        pytest.param("minute", {}, 0, id="no times"),
        pytest.param("device", {}, 0, id="no devices"),
        pytest.param("all", {"rows": [0]}, 149, id="one against all"),
        pytest.param("all", {"rows": [0, 149]}, 149 + 148, id="two against all, their own pair once"),
        pytest.param("device", {"devices": ["x"] * 150, "rows": [7]}, 149, id="one on one device"),
    ],
)
def test_pairs(kind: PairKind, changes: dict[str, Any], pairs: int) -> None:
    found = search(a_search(kind=kind, **changes))
    assert found.pairs == pairs
    assert (found.threshold is None) == (pairs == 0)


def test_the_pair_is_found_among_few_too() -> None:
    neighbors = {"kind": "neighbors", "roll_numbers": ["10", *[None] * 148, "9"]}
    assert flagged(search(a_search(**neighbors))) == [(0, 149)]
    assert flagged(search(a_search(rows=[149]))) == [(0, 149)]


@pytest.mark.parametrize("changes", [{}, {"rows": [1]}, {"kind": "device", "devices": ["x"] * 150}])
def test_too_many_pairs_are_counted_and_not_compared(changes: dict[str, Any]) -> None:
    found = search(a_search(most_pairs=10, **changes))
    assert found.pairs > 10
    assert (found.threshold, found.flagged, list(found.evidence)) == (None, 0, [])


def test_answers_are_told_apart() -> None:
    sheets = [[["a", "b"], 7], [["a"], None], [["a", "b"], 7.5]]
    patterns = patterns_of([orjson.dumps(sheets[:2]), orjson.dumps(sheets[2:])], 2)
    assert patterns.codes.tolist() == [[0, 0], [1, -1], [0, 1]]
    many = patterns_of([orjson.dumps([[number] for number in range(MAX_PATTERNS + 2)])], 1)
    assert many.codes[-3:, 0].tolist() == [MAX_PATTERNS - 1, -2, -2]
