"""The fold over response events, and what becomes of a response that comes in."""

from dataclasses import replace
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.engine.answers import Answer
from app.engine.responses import (
    Conflicting,
    Event,
    Known,
    NotTaken,
    Saved,
    Superseded,
    Verdict,
    classify,
    count_changes,
    standing_answers,
)

Q1, Q2 = UUID(int=1), UUID(int=2)


def event(
    lease: int = 1, revision: int = 1, answer: Answer | None = ("a",), *, question_id: UUID = Q1
) -> Event:
    return Event(question_id, lease, revision, answer)


def receive(log: list[Event], incoming: list[Event]) -> list[Verdict]:
    """Append what is new, as the server does, and tell what became of each."""
    verdicts = []
    for each in incoming:
        verdicts.append(classify(log, each))
        if isinstance(verdicts[-1], Saved | Superseded):
            log.append(each)
    return verdicts


# A device's saves of one lease: for each of its revisions, which question and which answer.
saves = st.lists(
    st.tuples(st.sampled_from([Q1, Q2, UUID(int=3)]), st.sampled_from([("a",), ("b",), ("a", "c"), None])),
    max_size=8,
)


@st.composite
def deliveries(draw: st.DrawFn) -> tuple[list[Event], list[Event]]:
    """What two devices meant, in order, and what the network made of it: repeated, reordered, interleaved."""
    meant = [
        event(lease, revision, answer, question_id=question_id)
        for lease in (1, 2)
        for revision, (question_id, answer) in enumerate(draw(saves), start=1)
    ]
    repeated = draw(st.lists(st.sampled_from(meant), max_size=10)) if meant else []
    return meant, draw(st.permutations(meant + repeated))


class TestStandingAnswers:
    @pytest.mark.parametrize(
        ("events", "standing"),
        [
            pytest.param([event(1, 1), event(1, 2)], event(1, 2), id="the higher revision"),
            pytest.param([event(1, 2), event(1, 1)], event(1, 2), id="whatever came first"),
            pytest.param(
                [event(1, 9), event(2, 1)], event(2, 1), id="the later lease, even of fewer revisions"
            ),
            pytest.param([event(2, 1), event(1, 9)], event(2, 1), id="an old phone that comes back"),
            pytest.param([event(1, 2), event(1, 10)], event(1, 10), id="numbers, not texts"),
            pytest.param([event(1, 1), event(1, 2, None)], event(1, 2, None), id="a cleared answer"),
        ],
    )
    def test_cases(self, events: list[Event], standing: Event) -> None:
        assert standing_answers(events) == {Q1: standing}

    def test_each_question_stands_for_itself(self) -> None:
        other = event(1, 1, question_id=Q2)
        assert standing_answers([event(2, 5), other]) == {Q1: event(2, 5), Q2: other}

    def test_no_events_no_answers(self) -> None:
        assert standing_answers([]) == {}

    @given(deliveries())
    def test_any_order_repetition_and_interleaving_gives_the_same(
        self, delivered: tuple[list[Event], list[Event]]
    ) -> None:
        meant, arrived = delivered
        log: list[Event] = []
        receive(log, arrived)
        # The devices took turns, so the last that each question was given is what its candidate meant.
        assert standing_answers(log) == {each.question_id: each for each in meant}
        assert standing_answers(arrived) == standing_answers(log)


class TestClassify:
    @pytest.mark.parametrize(
        ("log", "incoming", "verdict"),
        [
            pytest.param([], event(), Saved(), id="the first"),
            pytest.param([event(question_id=Q2)], event(), Saved(), id="the first of its question"),
            pytest.param([event(1, 1)], event(1, 2), Saved(), id="the next revision"),
            pytest.param([event(1, 1)], event(1, 5, None), Saved(), id="a cleared answer, revisions skipped"),
            pytest.param([event(1, 7)], event(2, 1), Saved(), id="the first of a later lease"),
            pytest.param([event()], event(), Known(), id="a retry"),
            pytest.param(
                [event(1, 1), event(2, 1)], event(1, 1), Known(), id="a retry of what is superseded"
            ),
            pytest.param([event(1, 3)], event(1, 2), Superseded(event(1, 3)), id="an older revision"),
            pytest.param([event(2, 1)], event(1, 9), Superseded(event(2, 1)), id="an older lease"),
            pytest.param([event()], event(answer=("b",)), Conflicting(event()), id="another answer"),
            pytest.param([event()], event(answer=None), Conflicting(event()), id="cleared instead"),
            pytest.param(
                [event(answer="2")], event(answer="2.0"), Conflicting(event(answer="2")), id="as given"
            ),
            pytest.param(
                [event(1, 1), event(2, 1)],
                event(1, 1, ("b",)),
                Conflicting(event(2, 1)),
                id="a conflict shows what stands, not what it contradicts",
            ),
        ],
    )
    def test_cases(self, log: list[Event], incoming: Event, verdict: Verdict) -> None:
        assert classify(log, incoming) == verdict
        in_a_closed_section = NotTaken() if isinstance(verdict, Saved | Superseded) else verdict
        assert classify(log, incoming, takes_new=False) == in_a_closed_section

    @pytest.mark.parametrize(
        "other",
        [
            replace(event(), marked_for_review=True),
            replace(event(), time_spent_ms=5230),
            replace(event(), confidence="guess"),
            replace(event(), language="hi"),
        ],
    )
    def test_every_field_is_content(self, other: Event) -> None:
        assert classify([event()], other) == Conflicting(event())

    def test_a_batch_is_judged_in_the_order_sent(self) -> None:
        log: list[Event] = []
        verdicts = receive(log, [event(1, 1), event(1, 3), event(1, 2), event(1, 3), event(1, 3, ("b",))])
        latest = event(1, 3)
        assert verdicts == [Saved(), Saved(), Superseded(latest), Known(), Conflicting(latest)]
        assert log == [event(1, 1), event(1, 3), event(1, 2)]

    @given(deliveries())
    def test_every_event_is_kept_once_and_a_second_delivery_is_known(
        self, delivered: tuple[list[Event], list[Event]]
    ) -> None:
        meant, arrived = delivered
        log: list[Event] = []
        receive(log, arrived)
        assert sorted(log, key=str) == sorted(meant, key=str)
        assert all(verdict == Known() for verdict in receive(log, arrived))

    @given(deliveries(), st.data())
    def test_a_conflict_changes_nothing(
        self, delivered: tuple[list[Event], list[Event]], data: st.DataObject
    ) -> None:
        log, _ = delivered
        if not log:
            return
        forged = replace(data.draw(st.sampled_from(log)), answer=("forged",))
        before = standing_answers(log)
        assert receive(log, [forged]) == [Conflicting(before[forged.question_id])]
        assert standing_answers(log) == before


class TestCountChanges:
    @pytest.mark.parametrize(
        ("answers", "changes"),
        [
            pytest.param([], 0, id="never answered"),
            pytest.param([None], 0, id="only marked for review"),
            pytest.param([("a",)], 0, id="answered once"),
            pytest.param([None, ("a",)], 0, id="the first answer is no change"),
            pytest.param([("a",), ("a",)], 0, id="the same answer with another flag"),
            pytest.param([("a", "c"), ("c", "a")], 0, id="the same options in another order"),
            pytest.param([("a",), ("b",)], 1, id="replaced"),
            pytest.param([("a",), None], 1, id="cleared"),
            pytest.param([("a",), None, ("b",)], 2, id="cleared and answered again"),
            pytest.param([("a",), ("b",), ("a",)], 2, id="there and back"),
            pytest.param(["3.1", "3.10"], 1, id="typed anew"),
            pytest.param([(("1", "a"),), (("1", "a"), ("2", "b"))], 1, id="a pair more"),
        ],
    )
    def test_table(self, answers: list[Answer | None], changes: int) -> None:
        assert count_changes(answers) == changes
