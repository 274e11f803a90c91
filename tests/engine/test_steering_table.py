"""The table of docs/steering.md: each cell is tried, once and twice. The page is the only copy."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from app.engine import steering
from app.engine.steering import (
    AdditionKind,
    AlreadyDone,
    AttemptState,
    Exemption,
    Status,
    TimeAddition,
    TransitionRefused,
)
from tests.conftest import ROOT

PAGE = ROOT / "docs" / "steering.md"
MINUTE, GRACE = timedelta(minutes=1), timedelta(seconds=10)
START = datetime(2026, 11, 26, 4, 30, tzinfo=UTC)
NOW, DEADLINE = START + 60 * MINUTE, START + 120 * MINUTE
PAUSED_AT, ENDED_AT = NOW - 20 * MINUTE, NOW - 10 * MINUTE
MORE = 15 * MINUTE

RUNNING = AttemptState(Status.IN_PROGRESS, DEADLINE)
PAUSED = replace(RUNNING, status=Status.PAUSED, paused_at=PAUSED_AT)
TIMED_OUT = replace(
    RUNNING,
    status=Status.SUBMITTED,
    deadline_at=ENDED_AT,
    ended_at=ENDED_AT,
    ended_by="deadline",
)
STATES = {
    "in progress": RUNNING,
    "overdue": replace(RUNNING, deadline_at=ENDED_AT),
    "paused": PAUSED,
    "timed out": TIMED_OUT,
    "submitted": steering.end(RUNNING, "candidate", ENDED_AT),
    "ended": steering.end(RUNNING, "staff", ENDED_AT),
    "submitted, paused": steering.end(PAUSED, "candidate", ENDED_AT),
    "ended, paused": steering.end(PAUSED, "staff", ENDED_AT),
}
STATES |= {
    f"void: {name}": steering.void(state, ENDED_AT) for name, state in STATES.items() if name != "overdue"
}
STATES |= {
    name.replace("void", "back"): steering.reopen(state, ENDED_AT)
    for name, state in STATES.items()
    if state.voided_from is Status.SUBMITTED
}

Step = Callable[[AttemptState, datetime], AttemptState]


def close(state: AttemptState, now: datetime, include: frozenset[Exemption] = frozenset()) -> AttemptState:
    """What closing a paper does to one of its attempts; the service asks for those that run."""
    if state.status not in steering.RUNNING or steering.exemptions(state) - include:
        return state
    return steering.submit(state, now)


STEPS: dict[str, Step] = {
    "extend": lambda state, now: steering.extend(state, MORE, now, "key"),
    "pause": steering.pause,
    "resume": steering.resume,
    "end": steering.submit,
    "reopen": steering.reopen,
    "reopen+": lambda state, now: steering.reopen(state, now, MORE),
    "go on": lambda state, now: steering.reopen(state, now, go_on=True),
    "void": steering.void,
    "admit": lambda state, _: steering.admit_late(state),
    "close": close,
    "close all": lambda state, now: close(state, now, frozenset(Exemption)),
    "overdue loop": lambda state, _: state,
    "submit": lambda state, now: steering.submit_by_candidate(state, now, GRACE),
    "accommodate": lambda state, now: steering.change_extra_time(state, MORE - state.extra, now),
}
ADDED = {"extend": MORE, "reopen+": MORE, "accommodate": MORE}
"""The time that a step gives, where it changes the attempt."""


def table() -> dict[str, dict[str, str]]:
    """The table of the page: by state, the cell of each step."""
    lines = PAGE.read_text().split("## The table")[1].split("## ")[0].splitlines()
    rows = [re.split(r" *\| *", line.strip("| ")) for line in lines if line.startswith("| ")]
    head, *body = rows
    return {state: dict(zip(head[1:], cells, strict=True)) for state, *cells in body}


def taken(step: str, state: AttemptState, now: datetime) -> AttemptState | None:
    """The state after a step, as the service takes it; None if it is refused."""
    seen = state if step == "admit" else steering.end_if_overdue(state, now, GRACE)
    try:
        return STEPS[step](seen, now)
    except AlreadyDone:
        return seen
    except TransitionRefused:
        return None


def name_of(state: AttemptState) -> str:
    """The state's name on the page."""
    if state.status in steering.RUNNING:
        return "paused" if state.status is Status.PAUSED else "in progress"
    before = "in progress"
    if state.voided_from is Status.PAUSED:
        before = "paused"
    elif state.voided_from is not Status.IN_PROGRESS:
        by = {"candidate": "submitted", "deadline": "timed out", "staff": "ended"}[state.ended_by or ""]
        before = by + (", paused" if state.paused_at else "")
    if state.status is Status.VOID:
        return f"void: {before}"
    return f"back: {before}" if state.voided_from else before


def test_the_page_has_every_state_and_step() -> None:
    page = table()
    assert {state for state in page if state != "state"} >= set(STATES)
    assert all(set(page[state]) == set(STEPS) for state in STATES)


@pytest.mark.parametrize("name", sorted(set(STATES) - {"overdue"}))
def test_the_states_are_what_their_names_say(name: str) -> None:
    assert name_of(STATES[name]) == name


@pytest.mark.parametrize("state", STATES)
class TestEveryCell:
    """The cells of a state's row."""

    def test_leads_where_the_page_says(self, state: str) -> None:
        before = STATES[state]
        for step, cell in table()[state].items():
            after = taken(step, before, NOW)
            if cell == "no":
                assert after is None, step
            elif cell == "same":
                assert after == before, step
            else:
                assert after is not None, step
                assert after != before, step
                assert name_of(after) == cell, step

    def test_twice_is_once(self, state: str) -> None:
        for step, cell in table()[state].items():
            once = taken(step, STATES[state], NOW)
            if once is None:
                assert cell == "no", step
                continue
            # What is submitted or ended just now is the same a second later, and so is what runs.
            assert taken(step, once, NOW + timedelta(seconds=1)) == once, step

    def test_conserves_the_time_that_was_left(self, state: str) -> None:
        before = STATES[state]
        for step, cell in table()[state].items():
            after = taken(step, before, NOW)
            if after is None or cell == "same" or after.status not in steering.RUNNING:
                continue
            seen = steering.end_if_overdue(before, NOW, GRACE)
            expected = steering.time_left(seen, NOW) + ADDED.get(step, timedelta())
            # These two count from the deadline.
            if seen.ended_by == "deadline" and step in ("extend", "accommodate"):
                expected -= NOW - seen.deadline_at
            assert steering.time_left(after, NOW) == expected, step

    def test_explains_the_deadline(self, state: str) -> None:
        before = STATES[state]
        for step in STEPS:
            if (after := taken(step, before, NOW)) is not None:
                given = sum((each.length for each in after.given[len(before.given) :]), timedelta())
                added = after.extra - before.extra + given
                assert after.deadline_at == before.deadline_at + added, step


class TestLeftOut:
    @pytest.mark.parametrize(
        ("state", "why"),
        [
            (RUNNING, set()),
            (replace(RUNNING, extra=30 * MINUTE), {Exemption.EXTRA_TIME}),
            (
                replace(RUNNING, given=(TimeAddition(AdditionKind.EXTENSION, START, MINUTE),)),
                {Exemption.EXTRA_TIME},
            ),
            (replace(RUNNING, given=(TimeAddition(AdditionKind.PAUSE, START, MINUTE),)), set()),
            (PAUSED, {Exemption.PAUSED}),
            (replace(PAUSED, extra=MINUTE), {Exemption.PAUSED, Exemption.EXTRA_TIME}),
            (replace(TIMED_OUT, extra=MINUTE), set()),
        ],
    )
    def test_who_is_left_out_of_an_end_for_all(self, state: AttemptState, why: set[Exemption]) -> None:
        assert steering.exemptions(state) == why
