"""The reference for official results. Ranks come from counting better scores; no server code is used."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from rehearsal.marking import percentile, rank


@dataclass(frozen=True, slots=True)
class PaperRules:
    """How a paper counts. The scores of all papers add up; a paper may also have qualifying marks."""

    code: str
    maximum: Fraction
    qualifying_percent: int | None


@dataclass(frozen=True, slots=True)
class CandidateScores:
    """A candidate's scores in the papers that they took and that count, exact and as printed."""

    number: int
    category: str
    exact: Mapping[str, Fraction]
    printed: Mapping[str, Decimal]
    was_voided: bool = False


@dataclass(frozen=True, slots=True)
class ExpectedResult:
    """What the official result must show."""

    outcome: str
    total: Fraction | None
    printed_total: Decimal | None
    rank: int | None
    percentile: Fraction | None
    category_rank: int | None
    participants: int


def expected_results(
    papers: Sequence[PaperRules], scored: Sequence[CandidateScores]
) -> dict[int, ExpectedResult]:
    """Results by candidate number. A candidate who missed a paper has no rank, no total and no zero."""
    outcomes = {each.number: _outcome(papers, each) for each in scored}
    totals = {each.number: sum(each.exact.values(), Fraction(0)) for each in scored}
    ranked = [each for each in scored if outcomes[each.number] == "ranked"]
    return {
        each.number: _expected(outcomes[each.number], each, totals, ranked)
        if outcomes[each.number] in ("ranked", "not_qualified")
        else ExpectedResult(outcomes[each.number], None, None, None, None, None, len(ranked))
        for each in scored
    }


def _expected(
    outcome: str, each: CandidateScores, totals: Mapping[int, Fraction], ranked: Sequence[CandidateScores]
) -> ExpectedResult:
    total, printed = totals[each.number], sum(each.printed.values(), Decimal(0))
    if outcome != "ranked":
        return ExpectedResult(outcome, total, printed, None, None, None, len(ranked))
    everybody = [totals[other.number] for other in ranked]
    category = [totals[other.number] for other in ranked if other.category == each.category]
    return ExpectedResult(
        outcome=outcome,
        total=total,
        printed_total=printed,
        rank=rank(total, everybody),
        percentile=percentile(total, everybody),
        category_rank=rank(total, category),
        participants=len(ranked),
    )


def _outcome(papers: Sequence[PaperRules], each: CandidateScores) -> str:
    if not each.exact:
        return "void" if each.was_voided else "absent"
    if any(paper.code not in each.exact for paper in papers):
        return "incomplete"
    return "ranked" if all(_passes(paper, each) for paper in papers) else "not_qualified"


def _passes(paper: PaperRules, each: CandidateScores) -> bool:
    if paper.qualifying_percent is None:
        return True
    best = max(Fraction(each.printed[paper.code]), each.exact[paper.code])
    return best >= paper.maximum * paper.qualifying_percent / 100
