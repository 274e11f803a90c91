"""When a candidate may object to a key, and which claims hold together."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.engine.objections import (
    MAX_OBJECTIONS,
    ObjectionRules,
    ObjectionWindow,
    attempt_window,
    exam_window,
    joined_claims,
)

T = datetime(2026, 6, 7, 4, 0, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("moment", "is_open", "is_over"),
    [(-1, False, False), (0, True, False), (59, True, False), (60, False, True), (61, False, True)],
)
def test_a_window_is_open_until_before_its_end(moment: int, is_open: bool, is_over: bool) -> None:
    window = exam_window(ObjectionRules(3, T, T + timedelta(seconds=60)))
    at = T + timedelta(seconds=moment)
    assert (window.is_open(at), window.is_over(at)) == (is_open, is_over)


@pytest.mark.parametrize(
    ("rules", "window"),
    [
        (ObjectionRules(0, days=7), (T, T + 7 * DAY)),
        (ObjectionRules(0, closes_at=T + DAY), (T, T + DAY)),
        (ObjectionRules(0, closes_at=T + DAY, days=7), (T, T + DAY)),
        (ObjectionRules(0, closes_at=T + 9 * DAY, days=7), (T, T + 7 * DAY)),
        (ObjectionRules(0, opens_at=T + DAY, days=7), (T + DAY, T + 7 * DAY)),
        (ObjectionRules(0, opens_at=T - DAY, days=7), (T, T + 7 * DAY)),
    ],
)
def test_an_attempt_has_a_window_of_its_own(rules: ObjectionRules, window: tuple[datetime, datetime]) -> None:
    assert attempt_window(rules, T) == ObjectionWindow(*window)


@pytest.mark.parametrize(
    "rules", [ObjectionRules(3, T, T + DAY, limit=5), ObjectionRules(0, days=7), ObjectionRules(1, None, T)]
)
def test_a_setting_is_stored(rules: ObjectionRules) -> None:
    assert ObjectionRules.of(rules.stored()) == rules
    assert rules.most == (5 if rules.limit else MAX_OBJECTIONS)


A, B, BOTH = {"accepted": [["a"]]}, {"accepted": [["b"]]}, {"accepted": [["a"], ["b"]]}
DROPPED, THREE, FOUR = {"dropped": True}, {"value": "3"}, {"value": "4"}


@pytest.mark.parametrize(
    ("claims", "joined"),
    [
        ([A], A),
        ([A, A], A),
        ([B, A], BOTH),
        ([BOTH, A], BOTH),
        ([DROPPED], DROPPED),
        ([DROPPED, A], None),
        ([THREE, THREE], THREE),
        ([THREE, FOUR], None),
        ([A, THREE], None),
    ],
)
def test_accepted_claims_are_joined_unless_they_contradict(
    claims: list[dict[str, Any]], joined: dict[str, Any] | None
) -> None:
    assert joined_claims(claims) == joined
