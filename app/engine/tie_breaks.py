"""Tie-breaks: an ordered list of criteria that parts candidates with equal totals (docs/ranks.md)."""

import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from app.engine.part_scores import PartScore


@dataclass(frozen=True, slots=True)
class Scope:
    """What a criterion looks at: a paper by its code, a section of it by its name, or a subject by its name.

    Without any, and for a subject, all papers that count for merit.
    """

    paper: str | None = None
    section: str | None = None
    subject: str | None = None


WHOLE = Scope()


@dataclass(frozen=True, slots=True)
class Compared:
    """What is compared of a candidate. A scope that the candidate did not sit has no score."""

    name: str
    scores: Mapping[Scope, PartScore]


TieBreakKey = tuple[Any, ...]
"""Of two candidates with equal totals, the one with the smaller key is first."""


def _higher_score(score: PartScore) -> Fraction:
    return -score.marks


def _fewer_wrong(score: PartScore) -> int:
    return score.wrong


def _lower_wrong_ratio(score: PartScore) -> tuple[bool, Fraction]:
    """Wrong answers for each right one. Without a right answer, any wrong one is worse than every ratio."""
    if not score.right:
        return score.wrong > 0, Fraction(0)
    return False, Fraction(score.wrong, score.right)


MEASURES: Mapping[str, Callable[[PartScore], Any]] = {
    "score": _higher_score,
    "wrong": _fewer_wrong,
    "wrong_ratio": _lower_wrong_ratio,
}
"""What a criterion compares of its scope; the smaller value is first. A new measure is one line here."""
NAME = "name"
"""The criterion that compares names: alphabetically by code point, without regard to case."""


@dataclass(frozen=True, slots=True)
class Criterion:
    """One step of a chain. `by` is `name` or one of `MEASURES`."""

    by: str
    scope: Scope = WHOLE

    def value(self, compared: Compared) -> Any:
        """What is compared; a scope that was not sat is last."""
        if self.by == NAME:
            return unicodedata.normalize("NFC", " ".join(compared.name.split())).casefold()
        score = compared.scores.get(self.scope)
        return (1,) if score is None else (0, MEASURES[self.by](score))


Chain = Sequence[Criterion]

JEE_SUBJECTS = ("Mathematics", "Physics", "Chemistry")


def chain_of(setting: str | Sequence[Mapping[str, str]], merit_papers: Sequence[str]) -> Chain:
    """The criteria of a setting: a preset by its name, or a list. `merit_papers` are codes in order."""
    if setting == "none":
        return ()
    if setting == "nta":
        return _nta()
    if setting == "ssc":
        return [*(Criterion("score", Scope(paper=code)) for code in merit_papers), Criterion(NAME)]
    assert not isinstance(setting, str)  # noqa: S101 -- the API knows no other presets
    return [criterion_of(each) for each in setting]


def criterion_of(stored: Mapping[str, str]) -> Criterion:
    """A criterion as it is stored: `{"by": "score", "paper": "gs1"}`."""
    return Criterion(stored["by"], Scope(stored.get("paper"), stored.get("section"), stored.get("subject")))


def _nta() -> Chain:
    """JEE (Main) 2025: the scores of the subjects, then wrong for right overall and by subject."""
    subjects = [Scope(subject=name) for name in JEE_SUBJECTS]
    return [
        *(Criterion("score", scope) for scope in subjects),
        Criterion("wrong_ratio"),
        *(Criterion("wrong_ratio", scope) for scope in subjects),
    ]


def tie_break_key(chain: Chain, compared: Compared) -> TieBreakKey:
    """The key of a candidate; of an empty chain it is the same for everybody."""
    return tuple(criterion.value(compared) for criterion in chain)


def scopes_of(chain: Chain) -> set[Scope]:
    """The scopes whose scores the chain compares."""
    return {criterion.scope for criterion in chain if criterion.by != NAME}
