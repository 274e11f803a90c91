"""What the digest of a candidate's estimates depends on."""

from dataclasses import replace
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any
from uuid import UUID

import pytest

from app.engine.attempt_figures import SubjectSums
from app.engine.scores import Score
from app.repositories.analytics.shown import KeptFigures, PaperQuestions, ShownAttempt
from app.services.analytics.judging import digest_of

ONE, TWO = UUID(int=1), UUID(int=2)
FIGURES = KeptFigures("sd", "en", {}, 1, 0, 0, 0, 0, SubjectSums())
ATTEMPT = ShownAttempt(
    id=ONE,
    test_id=ONE,
    paper_id=ONE,
    exam_paper_id=None,
    key_id=ONE,
    cohort_id=ONE,
    number=1,
    practice=False,
    counted=True,
    started_at=datetime(2026, 6, 7, tzinfo=UTC),
    submitted_at=datetime(2026, 6, 7, tzinfo=UTC),
    title={},
    kind="full",
    may_review=True,
    may_compare=True,
    marking={},
    score=Score(Fraction(2), Fraction(2), Fraction(4)),
    outcomes="cu",
    figures=FIGURES,
    scale=None,
)
QUESTIONS = PaperQuestions([ONE, ONE], [(1.0, 0.5, 0.0), None])


def digest(attempts: list[ShownAttempt], questions: PaperQuestions = QUESTIONS, **more: Any) -> bytes:
    return digest_of(attempts, {ONE: questions, TWO: questions}, **{"category": "general", **more})


class TestDigestOf:
    @pytest.mark.parametrize(
        "other",
        [
            digest([ATTEMPT], category="obc"),
            digest([]),
            digest([ATTEMPT, ATTEMPT]),
            digest([replace(ATTEMPT, key_id=TWO)]),
            digest([replace(ATTEMPT, paper_id=TWO)]),
            digest([replace(ATTEMPT, outcomes="ci")]),
            digest([replace(ATTEMPT, may_review=False)]),
            digest([replace(ATTEMPT, figures=None)]),
            digest([replace(ATTEMPT, figures=replace(FIGURES, confidence="sg"))]),
            digest([ATTEMPT], replace(QUESTIONS, subjects=[ONE, TWO])),
            digest([ATTEMPT], replace(QUESTIONS, curves=[(1.0, 0.6, 0.0), None])),
            digest([ATTEMPT], replace(QUESTIONS, curves=[None, (1.0, 0.5, 0.0)])),
        ],
    )
    def test_differs_with_everything_that_the_estimates_depend_on(self, other: bytes) -> None:
        assert other != digest([ATTEMPT])

    def test_is_the_same_for_what_they_do_not_depend_on(self) -> None:
        again = replace(ATTEMPT, id=TWO, number=2, cohort_id=TWO, title={"en": "Another"}, counted=False)
        assert digest([again]) == digest([ATTEMPT])
