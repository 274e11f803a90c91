"""Official results computed apart: ranks by counting who is better, nothing taken from the server's rules."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from rehearsal.marking import percentile, rank


@dataclass(frozen=True, slots=True)
class Paper:
    """How a paper counts: all of these add up, and one may have to be passed as well."""

    code: str
    maximum: Fraction
    qualifying_percent: int | None


@dataclass(frozen=True, slots=True)
class Scored:
    """A candidate with what they have in the papers that they sat and that count; exact, and as printed."""

    number: int
    category: str
    exact: Mapping[str, Fraction]
    printed: Mapping[str, Decimal]


@dataclass(frozen=True, slots=True)
class Expected:
    """What the official result must say."""

    outcome: str
    total: Fraction | None
    printed_total: Decimal | None
    rank: int | None
    percentile: Fraction | None
    category_rank: int | None
    participants: int


def results(papers: Sequence[Paper], scored: Sequence[Scored]) -> dict[int, Expected]:
    """By candidate. Who missed a paper has no rank and no total, and nobody's absence is a zero."""
    outcomes = {each.number: _outcome(papers, each) for each in scored}
    totals = {each.number: sum(each.exact.values(), Fraction(0)) for each in scored}
    ranked = [each for each in scored if outcomes[each.number] == "ranked"]
    return {
        each.number: _expected(outcomes[each.number], each, totals, ranked)
        if outcomes[each.number] in ("ranked", "not_qualified")
        else Expected(outcomes[each.number], None, None, None, None, None, len(ranked))
        for each in scored
    }


def _expected(
    outcome: str, each: Scored, totals: Mapping[int, Fraction], ranked: Sequence[Scored]
) -> Expected:
    total, printed = totals[each.number], sum(each.printed.values(), Decimal(0))
    if outcome != "ranked":
        return Expected(outcome, total, printed, None, None, None, len(ranked))
    everybody = [totals[other.number] for other in ranked]
    category = [totals[other.number] for other in ranked if other.category == each.category]
    return Expected(
        outcome=outcome,
        total=total,
        printed_total=printed,
        rank=rank(total, everybody),
        percentile=percentile(total, everybody),
        category_rank=rank(total, category),
        participants=len(ranked),
    )


def _outcome(papers: Sequence[Paper], each: Scored) -> str:
    if not each.exact:
        return "absent"
    if any(paper.code not in each.exact for paper in papers):
        return "incomplete"
    return "ranked" if all(_passes(paper, each) for paper in papers) else "not_qualified"


def _passes(paper: Paper, each: Scored) -> bool:
    if paper.qualifying_percent is None:
        return True
    return Fraction(each.printed[paper.code]) >= paper.maximum * paper.qualifying_percent / 100
