"""The comparison: every result with what was acknowledged, with what was meant, and with slow marking."""

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any, Protocol
from uuid import UUID

from rehearsal import marking
from rehearsal.log import Log
from rehearsal.plans import Answer, Ending, Plan
from rehearsal.questions import Question

_OUTCOMES = ("correct", "incorrect", "partial", "unattempted", "dropped")
_PERCENTILE_ERROR = Fraction(1, 1_000_000)


class Taken(Protocol):
    """A test that somebody has taken: what they meant, what was acknowledged, what came of it."""

    @property
    def plan(self) -> Plan: ...
    @property
    def log(self) -> Log: ...
    @property
    def attempt_id(self) -> str: ...
    @property
    def result(self) -> Mapping[str, Any] | None: ...


def mismatches(
    sittings: Sequence[Taken], questions: Sequence[Question], question_ids: Sequence[UUID], paper: str = ""
) -> list[str]:
    """Everything that is not as it must be, a sentence each; `paper` begins it, where there are several."""
    numbers = {question_id: q.number for question_id, q in zip(question_ids, questions, strict=True)}
    shown = {s.plan.number: _shown(s.result, numbers) for s in sittings if s.result is not None}
    marked = {number: marking.mark(questions, answers) for number, answers in shown.items()}
    scores = [each.score for each in marked.values()]
    found = []
    for sitting in sittings:
        number, result = sitting.plan.number, sitting.result
        wrong = list(sitting.log.problems)
        if result is None:
            wrong.append("there is no result")
        else:
            wrong += _answer_mismatches(sitting, numbers, shown[number])
            wrong += _mark_mismatches(result, numbers, marked[number], questions)
            wrong += _rank_mismatches(result, marked[number].score, scores)
            wrong += _time_mismatches(sitting, result)
        found += [f"Candidate {number}: {paper}{sentence}" for sentence in wrong]
    return found


def marked_answers(
    result: Mapping[str, Any], questions: Sequence[Question], question_ids: Sequence[UUID]
) -> marking.Marked:
    """What the answers that a result shows are worth; whether they are the right ones, `mismatches` tells."""
    numbers = {question_id: q.number for question_id, q in zip(question_ids, questions, strict=True)}
    return marking.mark(questions, _shown(result, numbers))


def compared_with_meaning(sitting: Taken) -> bool:
    """Whether all that the candidate meant has arrived, so that the result must be exactly that.

    Whoever submits while saving leaves that to chance, nobody means what is admitted late, and who ran into a
    problem may have sent nothing after it.
    """
    if sitting.plan.ending is Ending.SUBMIT_WHILE_SAVING or sitting.log.admitted or sitting.log.problems:
        return False
    return not sitting.log.lost_anything(late=len(sitting.plan.late))


def _shown(result: Mapping[str, Any], numbers: Mapping[UUID, int]) -> dict[int, Answer]:
    """The answers that the result says were graded, by question number."""
    return {
        numbers[UUID(entry["question_id"])]: _answer(entry["answer"]) for entry in result["questions"] or []
    }


def _answer(value: Any) -> Answer:
    return tuple(value) if isinstance(value, list) else value


def _answer_mismatches(
    sitting: Taken, numbers: Mapping[UUID, int], shown: Mapping[int, Answer]
) -> Iterator[str]:
    possible = sitting.log.possible()
    for question_id, number in numbers.items():
        allowed = possible.get(question_id, {None})
        if shown.get(number) not in allowed:
            yield f"question {number}: {shown.get(number)} was graded, acknowledged was {_either(allowed)}"
    if not compared_with_meaning(sitting):
        return
    meant = sitting.plan.meant()
    for place, number in enumerate(numbers.values()):
        if shown.get(number) != meant.get(place):
            yield f"question {number}: {shown.get(number)} was graded, meant was {meant.get(place)}"


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


def _time_mismatches(sitting: Taken, result: Mapping[str, Any]) -> Iterator[str]:
    if sitting.log.uncertain:
        return
    spent = sitting.log.time_spent()
    for entry in result["questions"] or []:
        expected = spent.get(UUID(entry["question_id"]), 0)
        if entry["time_spent_ms"] != expected:
            yield f"question {entry['number']}: {entry['time_spent_ms']} ms were counted, not {expected}"


def _either(answers: set[Answer]) -> str:
    return " or ".join(str(answer) for answer in answers)
