"""Similar answer sheets of a test."""

from typing import Annotated, Self
from uuid import UUID

from pydantic import Field

from app.repositories.analytics.answer_sheets import PersonOfAttempt
from app.schemas.analytics.estimates import localized
from app.schemas.common import LocalizedText, Out
from app.services.analytics.similarity import CAUTION, NamedComparison


class ComparedCandidateOut(Out):
    """A candidate of a flagged pair. `name` is null if the account was deleted."""

    attempt_id: UUID
    user_id: UUID | None
    roll_number: str | None
    name: str | None

    @classmethod
    def of(cls, person: PersonOfAttempt) -> Self:
        """Whose attempt it is."""
        return cls(
            attempt_id=person.attempt_id,
            user_id=person.user_id,
            roll_number=person.roll_number,
            name=person.name,
        )


class SimilarPairOut(Out):
    """Two answer sheets that agree more than chance explains, and what they have in common.

    Equal answers that are wrong say more than equal right ones: `wrong_questions` has their numbers.
    """

    candidates: Annotated[list[ComparedCandidateOut], Field(min_length=2, max_length=2)]
    both_answered: int
    equal: Annotated[int, Field(description="Questions with the same answer; blanks do not count")]
    equal_right: int
    equal_wrong: int
    wrong_questions: list[int]
    expected: Annotated[float, Field(description="Equal answers of independent candidates with such scores")]
    probability: Annotated[float, Field(description="Of so many equal answers or more, by chance")]


class SimilarityOut(Out):
    """Pairs of answer sheets that agree too much for chance, the least probable first.

    With `false_flags` expected among all compared pairs, if all worked independently, a pair is flagged from
    `threshold` on. If nothing was compared, `reason` says why. At most 100 pairs are listed.
    """

    test_id: UUID
    paper_version: int | None
    exam_paper_id: UUID | None
    questions: int
    participants: int
    pairs: Annotated[int, Field(description="The pairs that were compared")]
    threshold: float | None
    false_flags: Annotated[float | None, Field(description="Flags to expect by chance among all the pairs")]
    flagged: int
    reason: LocalizedText | None
    caution: LocalizedText
    items: list[SimilarPairOut]

    @classmethod
    def of(cls, found: NamedComparison) -> Self:
        """A comparison with the names of its candidates."""
        comparison = found.comparison
        loaded = comparison.material
        group, paper, threshold = loaded.group, loaded.paper, comparison.threshold
        return cls(
            test_id=loaded.test_id,
            paper_version=paper.version if paper else None,
            exam_paper_id=loaded.exam_paper.id if loaded.exam_paper else None,
            questions=len(paper.questions) if paper else 0,
            participants=group.results if group else 0,
            pairs=comparison.pairs,
            threshold=threshold,
            false_flags=None if threshold is None else float(f"{threshold * comparison.pairs:.3g}"),
            flagged=comparison.flagged,
            reason=localized(comparison.reason),
            caution=localized(CAUTION),
            items=_items(found),
        )


def _items(found: NamedComparison) -> list[SimilarPairOut]:
    sheets = found.comparison.material.sheets
    if sheets is None:
        return []
    return [
        SimilarPairOut(
            candidates=[
                ComparedCandidateOut.of(found.people[sheets.attempt_ids[row]])
                for row in (each.first, each.second)
            ],
            both_answered=each.both,
            equal=each.equal,
            equal_right=each.right,
            equal_wrong=len(each.wrong),
            wrong_questions=list(each.wrong),
            expected=round(each.expected, 2),
            probability=float(f"{each.probability:.3g}"),
        )
        for each in found.comparison.evidence
    ]
