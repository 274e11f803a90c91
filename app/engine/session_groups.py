"""Session groups: papers of an exam of which each candidate sits one, in the results of the exam."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from uuid import UUID, uuid5

from app.engine.merit import Entrant, ExamPaperRule, MeritResult, PaperScore
from app.engine.normalization import NormalizationMethod, Scale

Compute = Callable[[Sequence[ExamPaperRule], Sequence[Entrant]], list[MeritResult]]
"""The results of an exam without session groups: `merit` with the cut-offs of the exam."""


@dataclass(frozen=True)
class SessionGroup:
    """Papers of which each candidate sits one, in the order of the exam.

    Without a method, marks of different papers are compared as they are.
    """

    papers: tuple[UUID, ...]
    method: NormalizationMethod | None = None


@dataclass(frozen=True)
class ScaledGroup:
    """A session group with the scale of each of its papers; none without a method."""

    group: SessionGroup
    scales: Mapping[UUID, Scale]

    @cached_property
    def merit(self) -> UUID:
        """Stands for the paper that was sat, where scores of all sessions are compared."""
        return uuid5(self.group.papers[0], "merit")

    def sat_by(self, entrant: Entrant) -> UUID | None:
        """The paper of the group that a candidate sat. If there are several, the first of the exam counts."""
        return next((paper for paper in self.group.papers if paper in entrant.scores), None)

    def normalized(self, paper: UUID, score: PaperScore) -> PaperScore | None:
        """The score that is compared with other sessions; None if it takes no part in ranks."""
        method = self.group.method
        if method is None:
            return replace(score, normalized=None)
        exact = self.scales[paper].get(score.exact)
        if exact is None:
            return None
        printed = in_decimals(exact, method.places)
        return PaperScore(exact, printed, practice=score.practice, normalized=printed)


def scaled(group: SessionGroup, entrants: Sequence[Entrant]) -> ScaledGroup:
    """Compute the scales from all who sat a paper and are ranked in it.

    Raises NormalizationUndefined, with the place of the paper in the group.
    """
    if group.method is None:
        return ScaledGroup(group, {})
    sessions = {paper: Counter[Fraction]() for paper in group.papers}
    unscaled = ScaledGroup(group, {})
    for entrant in entrants:
        paper = unscaled.sat_by(entrant)
        if paper is not None and (score := entrant.scores[paper]).is_ranked:
            sessions[paper][score.exact] += 1
    scales = group.method.scales([sessions[paper] for paper in group.papers])
    return ScaledGroup(group, dict(zip(group.papers, scales, strict=True)))


def merit_of_sessions(
    groups: Sequence[ScaledGroup],
    papers: Sequence[ExamPaperRule],
    entrants: Sequence[Entrant],
    compute: Compute,
) -> list[MeritResult]:
    """Return the results of all candidates, in their order, with one paper of each group.

    All papers of a group have the same rules. Ranks and totals use the score on the common scale, qualifying
    marks the marks of the paper. The rank in a paper is that in its session.
    """
    rules = [rule for paper in papers for rule in _rules(paper, groups)]
    found = compute(rules, [_joined(entrant, groups) for entrant in entrants])
    return [_separated(result, entrant, groups) for result, entrant in zip(found, entrants, strict=True)]


def in_decimals(value: Fraction, places: int) -> Decimal:
    """A value that has at most so many decimal places, with all of them."""
    return Decimal(int(value * 10**places)).scaleb(-places)


def _rules(paper: ExamPaperRule, groups: Sequence[ScaledGroup]) -> list[ExamPaperRule]:
    """The rules by which a paper is judged. The first paper of a group brings that of the common scale."""
    group = next((each for each in groups if paper.id in each.group.papers), None)
    if group is None:
        return [paper]
    own = replace(paper, counts_for_merit=False)
    if not paper.counts_for_merit or paper.id != group.group.papers[0]:
        return [own]
    return [own, ExamPaperRule(group.merit, counts_for_merit=True, max_score=paper.max_score)]


def _joined(entrant: Entrant, groups: Sequence[ScaledGroup]) -> Entrant:
    """The candidate with one paper of each group, and with what stands for it.

    Whoever sat one session need not take the others. Whoever sat none has missed them all.
    """
    scores, excused = dict(entrant.scores), set[UUID]()
    for each in groups:
        paper = each.sat_by(entrant)
        if paper is None:
            continue
        others = set(each.group.papers) - {paper}
        excused |= others
        for other in others:
            scores.pop(other, None)
        normalized = each.normalized(paper, scores[paper])
        if normalized is not None:
            scores[each.merit] = normalized
    return replace(entrant, scores=scores, excused=excused)


def _separated(result: MeritResult, entrant: Entrant, groups: Sequence[ScaledGroup]) -> MeritResult:
    """The result with the papers that were sat instead of those that stand for them."""
    papers, real = dict(result.papers), dict[UUID, Sequence[UUID]]()
    for each in groups:
        paper = each.sat_by(entrant)
        merit = papers.pop(each.merit, None)
        named = each.group.papers if paper is None else [paper]
        real |= dict.fromkeys([each.merit, *each.group.papers], named)
        if paper is not None:
            own = papers[paper]
            score = replace(own.score, normalized=merit.score.normalized if merit else None)
            papers[paper] = replace(own, score=score)
    cutoff = result.cutoff
    if cutoff is not None:
        behind = [paper for each in cutoff.papers for paper in real.get(each, [each])]
        cutoff = replace(cutoff, papers=tuple(dict.fromkeys(behind)))
    return replace(result, entrant=entrant, papers=papers, cutoff=cutoff)
