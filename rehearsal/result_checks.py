"""Checks of results against the acknowledged responses, the plan, and the reference marking."""

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any, Protocol
from uuid import UUID

from rehearsal import marking
from rehearsal.plans import Answer, Ending, Plan
from rehearsal.questions import Question
from rehearsal.response_log import RehearsedLog

_OUTCOMES = ("correct", "incorrect", "partial", "unattempted", "dropped")
_PERCENTILE_ERROR = Fraction(1, 1_000_000)
_CHANGED_BY_OTHERS = ("rank", "participants", "percentile")


class FinishedAttempt(Protocol):
    """An attempt that is over: its plan, the log of its responses, and its result."""

    @property
    def plan(self) -> Plan: ...
    @property
    def log(self) -> RehearsedLog: ...
    @property
    def attempt_id(self) -> str: ...
    @property
    def result(self) -> Mapping[str, Any] | None: ...


def mismatches(
    attempts: Sequence[FinishedAttempt],
    questions: Sequence[Question],
    question_ids: Sequence[UUID],
    paper: str = "",
) -> list[str]:
    """Everything that is wrong, one sentence each; `paper` names the paper if there are several."""
    numbers = {question_id: q.number for question_id, q in zip(question_ids, questions, strict=True)}
    shown = {s.plan.number: _shown(s.result, numbers) for s in attempts if s.result is not None}
    marked = {number: marking.mark(questions, answers) for number, answers in shown.items()}
    scores = [each.score for each in marked.values()]
    found = []
    for attempt in attempts:
        number, result = attempt.plan.number, attempt.result
        wrong = list(attempt.log.problems)
        if result is None:
            wrong.append("there is no result")
        else:
            wrong += _answer_mismatches(attempt, numbers, shown[number])
            wrong += _mark_mismatches(result, numbers, marked[number], questions)
            wrong += _rank_mismatches(result, marked[number].score, scores)
            wrong += _time_mismatches(attempt, result)
        found += [f"Candidate {number}: {paper}{sentence}" for sentence in wrong]
    return found


def marked_answers(
    result: Mapping[str, Any], questions: Sequence[Question], question_ids: Sequence[UUID]
) -> marking.Marked:
    """The marks of the answers that a result shows. `mismatches` checks the answers themselves."""
    numbers = {question_id: q.number for question_id, q in zip(question_ids, questions, strict=True)}
    return marking.mark(questions, _shown(result, numbers))


def own_figures(attempt: Mapping[str, Any]) -> dict[str, Any]:
    """The answer to a submit without the figures that change when another candidate is graded."""
    result = attempt.get("result") or {}
    return {**attempt, "result": {name: result[name] for name in result if name not in _CHANGED_BY_OTHERS}}


def all_planned_answers_arrived(attempt: FinishedAttempt) -> bool:
    """Whether every planned answer arrived, so that the result must equal the plan.

    This is not so if the candidate submitted while saving, if late answers were admitted, or if the candidate
    could not follow the plan.
    """
    if attempt.plan.ending is Ending.SUBMIT_WHILE_SAVING or attempt.log.admitted:
        return False
    if attempt.log.problems or attempt.log.delays:
        return False
    return not attempt.log.lost_anything(late=len(attempt.plan.late))


def _shown(result: Mapping[str, Any], numbers: Mapping[UUID, int]) -> dict[int, Answer]:
    """The graded answers in the result, by question number."""
    return {
        numbers[UUID(entry["question_id"])]: _answer(entry["answer"]) for entry in result["questions"] or []
    }


def _answer(value: Any) -> Answer:
    return tuple(value) if isinstance(value, list) else value


def _answer_mismatches(
    attempt: FinishedAttempt, numbers: Mapping[UUID, int], shown: Mapping[int, Answer]
) -> Iterator[str]:
    possible = attempt.log.possible()
    for question_id, number in numbers.items():
        allowed = possible.get(question_id, {None})
        if shown.get(number) not in allowed:
            yield f"question {number}: {shown.get(number)} was graded, acknowledged was {_joined(allowed)}"
    if not all_planned_answers_arrived(attempt):
        return
    planned = attempt.plan.intended_answers()
    for index, number in enumerate(numbers.values()):
        if shown.get(number) != planned.get(index):
            yield f"question {number}: {shown.get(number)} was graded, planned was {planned.get(index)}"


def _mark_mismatches(
    result: Mapping[str, Any],
    numbers: Mapping[UUID, int],
    marked: marking.Marked,
    questions: Sequence[Question],
) -> Iterator[str]:
    if Fraction(result["score_exact"]) != marked.score:
        yield f"the score is {result['score_exact']}, it should be {marked.score}"
    if Fraction(result["max_score"]) != marking.maximum(questions):
        yield f"the maximum is {result['max_score']}, it should be {marking.maximum(questions)}"
    for outcome in _OUTCOMES:
        if result[outcome] != marked.count(outcome):
            yield f"{result[outcome]} questions are {outcome}, it should be {marked.count(outcome)}"
    for entry in result["questions"] or []:
        number = numbers[UUID(entry["question_id"])]
        if entry["outcome"] != marked.outcomes[number]:
            yield f"question {number} is {entry['outcome']}, it should be {marked.outcomes[number]}"


def _rank_mismatches(result: Mapping[str, Any], score: Fraction, scores: Sequence[Fraction]) -> Iterator[str]:
    rank, percentile = marking.rank(score, scores), marking.percentile(score, scores)
    shown, expected = (result["rank"], result["participants"]), (rank, len(scores))
    if shown != expected:
        yield "the rank is {} of {}, it should be {} of {}".format(*shown, *expected)
    if abs(Fraction(result["percentile"] or 0) - percentile) > _PERCENTILE_ERROR:
        yield f"the percentile is {result['percentile']}, it should be {float(percentile):.7f}"


def _time_mismatches(attempt: FinishedAttempt, result: Mapping[str, Any]) -> Iterator[str]:
    if attempt.log.uncertain:
        return
    spent = attempt.log.time_spent()
    for entry in result["questions"] or []:
        expected = spent.get(UUID(entry["question_id"]), 0)
        if entry["time_spent_ms"] != expected:
            yield f"question {entry['number']}: {entry['time_spent_ms']} ms were counted, not {expected}"


def _joined(answers: set[Answer]) -> str:
    return " or ".join(str(answer) for answer in answers)
