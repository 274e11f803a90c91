"""The slow marking that results are compared with."""

from fractions import Fraction

import pytest

from rehearsal.marking import mark, maximum, percentile, rank
from rehearsal.plans import Answer
from rehearsal.questions import Question, generate_questions

SINGLE = Question(1, "single_choice", "b", aptitude=False)
SEVERAL = Question(1, "multiple_choice", "bcd", aptitude=True)
SEVERAL_OR_NOTHING = Question(1, "multiple_choice", "bcd", aptitude=False)
NUMBER = Question(1, "numeric", "12.5", aptitude=True)
STATEMENT = Question(1, "true_false", "true", aptitude=False)


class TestMark:
    @pytest.mark.parametrize(
        ("question", "answer", "outcome", "score"),
        [
            (SINGLE, ("b",), "correct", "2"),
            (SINGLE, ("a",), "incorrect", "-2/3"),
            (SINGLE, ("a", "b"), "incorrect", "-2/3"),
            (SINGLE, None, "unattempted", "0"),
            (SEVERAL, ("d", "c", "b"), "correct", "5/2"),
            (SEVERAL, ("c", "d"), "partial", "5/3"),
            (SEVERAL, ("a", "b"), "incorrect", "-5/6"),
            (SEVERAL_OR_NOTHING, ("c", "d"), "incorrect", "-2/3"),
            (NUMBER, "25/2", "correct", "5/2"),
            (NUMBER, "12.51", "correct", "5/2"),
            (NUMBER, "12.511", "incorrect", "-5/6"),
            (STATEMENT, ("true",), "correct", "2"),
            (STATEMENT, ("false",), "incorrect", "-2/3"),
        ],
    )
    def test_one_question(self, question: Question, answer: Answer, outcome: str, score: str) -> None:
        marked = mark([question], {1: answer})

        assert (marked.score, marked.outcomes) == (Fraction(score), {1: outcome})

    def test_what_was_dropped_is_prorated(self) -> None:
        questions = [
            SINGLE,
            Question(2, "single_choice", "", aptitude=False),
            Question(3, "true_false", "false", aptitude=False),
        ]

        assert mark(questions, {1: ("b",), 2: ("a",), 3: ("false",)}).score == 6
        assert mark(questions, {1: ("b",), 3: ("true",)}).score == Fraction(4, 3) * Fraction(3, 2)

    def test_all_by_the_key_is_the_maximum(self) -> None:
        questions = generate_questions(100, seed=5)
        answers: dict[int, Answer] = {
            q.number: q.key if q.type == "numeric" else (q.key,) if q.type == "true_false" else tuple(q.key)
            for q in questions
        }

        marked = mark(questions, answers)

        assert marked.score == maximum(questions) == 70 * 2 + 30 * Fraction(5, 2)
        assert (marked.count("correct"), marked.count("dropped")) == (99, 1)


class TestRank:
    def test_equal_scores_share_a_rank(self) -> None:
        scores = [Fraction(each) for each in (5, 3, 3, 1)]

        assert [rank(score, scores) for score in scores] == [1, 2, 2, 4]

    def test_percentile_counts_those_who_are_no_better(self) -> None:
        scores = [Fraction(each) for each in (5, 3, 3, 1)]

        assert [percentile(score, scores) for score in scores] == [100, 75, 75, 25]
