"""The objections: by 40 candidates, in clusters, of which one is right."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rehearsal.dispute.candidates import Candidate
from rehearsal.dispute.options import DISPUTED
from rehearsal.dispute.paper import LETTERS, Question, key_of

OBJECTORS = 40
_SOURCES = [
    {"title": "A textbook", "page": "Chapter 11"},
    {"title": "An official document", "url": "https://example.org/document"},
    {"title": "A report", "page": "page 80"},
]
_WRONG_CLAIMS = ((DISPUTED, 4), (12, 3), (57, 2))
"""Clusters that are rejected: the question, and how many of 40 candidates claim so."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """A claimed key, who claims it, and whether staff will accept it."""

    question: Question
    claimed: str
    objectors: Sequence[Candidate]
    accepted: bool

    @property
    def claimed_key(self) -> dict[str, Any]:
        return key_of(self.claimed)

    def objection(self, question_ids: Sequence[str]) -> dict[str, Any]:
        """The body of an objection."""
        return {
            "question_id": question_ids[self.question.number - 1],
            "claimed_key": self.claimed_key,
            "explanation": f"Question {self.question.number}: {statement(self.claimed)}.",
            "sources": _SOURCES,
        }

    def decision(self, question_ids: Sequence[str]) -> dict[str, Any]:
        """The body of the decision."""
        return {
            "question_id": question_ids[self.question.number - 1],
            "claimed_key": self.claimed_key,
            "accept": self.accepted,
            "reason": f"The committee finds: {statement(self.question.right)}.",
        }


def make_clusters(questions: Sequence[Question], candidates: Sequence[Candidate]) -> list[Cluster]:
    """Who objects to what. First come those who answered the disputed question rightly."""
    disputed = questions[DISPUTED - 1]
    harmed = sorted(candidates, key=lambda each: each.person.final[DISPUTED - 1] != (disputed.right,))
    objectors = harmed[: min(OBJECTORS, len(candidates))]
    clusters = []
    for number, of_40 in _WRONG_CLAIMS:
        count = max(1, of_40 * len(objectors) // OBJECTORS)
        clusters.append(_wrong(questions[number - 1], objectors[-count:]))
        objectors = objectors[:-count]
    return [Cluster(disputed, disputed.right, objectors, accepted=True), *clusters]


def _wrong(question: Question, objectors: Sequence[Candidate]) -> Cluster:
    """A claim that is neither the key nor right."""
    claimed = next(letter for letter in LETTERS if letter not in (question.right, question.released))
    return Cluster(question, claimed, objectors, accepted=False)


def mismatches(clusters: Sequence[Cluster], shown: Sequence[Mapping[str, Any]]) -> list[str]:
    """Clusters that staff see with another number of objections."""
    counts = {(each["number"], _normal(each["claimed_key"])): each["objections"] for each in shown}
    expected = {(each.question.number, _normal(each.claimed_key)): len(each.objectors) for each in clusters}
    return [] if counts == expected else [f"the clusters are {counts}, they should be {expected}"]


def _normal(key: Mapping[str, Any]) -> str:
    return "dropped" if key.get("dropped") else str(key["accepted"])


def statement(letter: str) -> str:
    """What a key says of the question."""
    return f"{letter} is right" if letter else "no single option is right"
