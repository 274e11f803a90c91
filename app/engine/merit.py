"""The official results of an exam: qualifying papers, merit papers, totals, ranks and cut-offs."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from uuid import UUID

from app.engine.qualifying import Qualification
from app.engine.ranking import Standing, standings


class ExamOutcome(StrEnum):
    """The outcome of an exam for a candidate.

    An ABSENT candidate took no paper, an INCOMPLETE one missed a paper that counts for merit. Neither has a
    rank; a missed paper is not a score of zero. Of a VOID candidate no attempt is left that counts, and at
    least one was voided. NOT_QUALIFIED missed or failed a qualifying paper, or the minimum of a section.
    DISQUALIFIED left too many questions of a paper without any mark. STAFF were staff when they sat a paper.
    """

    RANKED = "ranked"
    NOT_QUALIFIED = "not_qualified"
    INCOMPLETE = "incomplete"
    ABSENT = "absent"
    VOID = "void"
    DISQUALIFIED = "disqualified"
    STAFF = "staff"


class NotCleared(StrEnum):
    """Why a candidate has not cleared the cut-off: the marks, or an outcome without a rank."""

    BELOW_MARKS = "below_marks"
    NOT_QUALIFIED = "not_qualified"
    INCOMPLETE = "incomplete"
    ABSENT = "absent"
    VOID = "void"
    DISQUALIFIED = "disqualified"
    STAFF = "staff"


@dataclass(frozen=True)
class ExamPaperRule:
    """How a paper counts. If `qualifying_percent` is set, the printed score must reach that share.

    `group_percents` has other shares for groups of candidates: see `groups_of`.
    """

    id: UUID
    counts_for_merit: bool
    qualifying_percent: Decimal | None
    max_score: Fraction
    group_percents: Mapping[str, Decimal] = field(default_factory=dict)


@dataclass(frozen=True)
class PaperScore:
    """A candidate's score in one paper: exact, and as it is printed."""

    exact: Fraction
    printed: Decimal
    qualification: Qualification = Qualification.QUALIFIED
    practice: bool = False
    """Whether the candidate was staff between the start and the grading (docs/decisions/0054)."""
    normalized: Decimal | None = None
    """The score on the scale of all sessions, if it is compared with other sessions."""

    @property
    def is_ranked(self) -> bool:
        """Whether the score takes part in the ranks of its paper."""
        return not self.practice and self.qualification is not Qualification.DISQUALIFIED


@dataclass(frozen=True)
class Entrant:
    """A candidate: category and disability at registration, and the scores of attempts that are not void."""

    id: UUID
    category: str
    scores: Mapping[UUID, PaperScore]
    pwbd: int | None = None
    """The kind of benchmark disability, 1 to 5."""
    has_void: bool = False
    """Whether an attempt was voided."""
    was_staff: bool = False
    """Whether the candidate was staff when they sat a paper."""


@dataclass(frozen=True)
class PaperResult:
    """A candidate's result in one paper, ranked among all whose score `is_ranked`."""

    score: PaperScore
    qualified: bool
    standing: Standing | None


@dataclass(frozen=True)
class Cutoff:
    """The marks that a group needs. `cleared` if a qualified candidate reached them.

    Otherwise `reason` says why not. `papers` are those that the reason is about: not qualified, missed, or
    disqualified.
    """

    group: str
    marks: Decimal
    reason: NotCleared | None = None
    papers: tuple[UUID, ...] = ()

    @property
    def cleared(self) -> bool:
        return self.reason is None


@dataclass(frozen=True)
class MeritResult:
    """One candidate's result. `printed_total` is the sum of the printed scores of the merit papers."""

    entrant: Entrant
    outcome: ExamOutcome
    qualified: bool
    papers: Mapping[UUID, PaperResult]
    total: Fraction | None
    printed_total: Decimal | None
    standing: Standing | None
    category_rank: int | None
    cutoff: Cutoff | None


def merit(
    papers: Sequence[ExamPaperRule], entrants: Sequence[Entrant], cutoffs: Mapping[str, Decimal]
) -> list[MeritResult]:
    """Return the results of all registered candidates, in their order.

    Ranks compare exact totals of the merit papers, among candidates who qualified and took all of them. Equal
    totals share a rank. Qualifying marks and cut-offs are compared with printed scores, as UPSC does. Equal
    totals of several papers can be printed differently (`lowest_clearing`). If several groups of a candidate
    have a cut-off, the lowest applies.
    """
    standing_in = {paper.id: _ranks(entrants, _score_in(paper.id)) for paper in papers}
    outcome_of = {entrant.id: _outcome(papers, entrant) for entrant in entrants}
    ranked = [entrant for entrant in entrants if outcome_of[entrant.id] is ExamOutcome.RANKED]
    total_of = {entrant.id: _total(papers, entrant) for entrant in ranked}
    overall = _ranks(ranked, lambda entrant: total_of[entrant.id])
    in_category = {
        category: _ranks([e for e in ranked if e.category == category], lambda entrant: total_of[entrant.id])
        for category in {entrant.category for entrant in ranked}
    }

    printed_totals = [(total_of[entrant.id], _printed_total(papers, entrant)) for entrant in ranked]
    lowest = {marks: lowest_clearing(printed_totals, marks) for marks in set(cutoffs.values())}

    def result(entrant: Entrant) -> MeritResult:
        outcome = outcome_of[entrant.id]
        is_ranked = outcome is ExamOutcome.RANKED
        is_complete = bool(entrant.scores) and _is_complete(papers, entrant)
        total = _total(papers, entrant) if is_complete else None
        printed = _printed_total(papers, entrant) if is_complete else None
        return MeritResult(
            entrant=entrant,
            outcome=outcome,
            qualified=outcome is not ExamOutcome.STAFF and _qualifies(papers, entrant),
            papers={
                paper.id: PaperResult(
                    score, _qualifies([paper], entrant), _standing(score, standing_in[paper.id])
                )
                for paper in papers
                if (score := entrant.scores.get(paper.id)) is not None
            },
            total=total,
            printed_total=printed,
            standing=overall[total_of[entrant.id]] if is_ranked else None,
            category_rank=in_category[entrant.category][total_of[entrant.id]].rank if is_ranked else None,
            cutoff=_cutoff(papers, entrant, cutoffs, outcome, total, lowest),
        )

    return [result(entrant) for entrant in entrants]


def _ranks(
    entrants: Sequence[Entrant], score: Callable[[Entrant], Fraction | None]
) -> Mapping[Fraction, Standing]:
    scores = (score(entrant) for entrant in entrants)
    return standings(Counter(exact for exact in scores if exact is not None))


def _score_in(paper_id: UUID) -> Callable[[Entrant], Fraction | None]:
    """The score that takes part in a paper's ranks."""

    def score(entrant: Entrant) -> Fraction | None:
        found = entrant.scores.get(paper_id)
        return found.exact if found is not None and found.is_ranked else None

    return score


def _standing(score: PaperScore, standings_of: Mapping[Fraction, Standing]) -> Standing | None:
    return standings_of[score.exact] if score.is_ranked else None


def _is_disqualified(score: PaperScore) -> bool:
    return score.qualification is Qualification.DISQUALIFIED


def _outcome(papers: Sequence[ExamPaperRule], entrant: Entrant) -> ExamOutcome:
    if entrant.was_staff:
        return ExamOutcome.STAFF
    if not entrant.scores:
        return ExamOutcome.VOID if entrant.has_void else ExamOutcome.ABSENT
    if any(map(_is_disqualified, entrant.scores.values())):
        return ExamOutcome.DISQUALIFIED
    if not _is_complete(papers, entrant):
        return ExamOutcome.INCOMPLETE
    return ExamOutcome.RANKED if _qualifies(papers, entrant) else ExamOutcome.NOT_QUALIFIED


def _is_complete(papers: Sequence[ExamPaperRule], entrant: Entrant) -> bool:
    return all(paper.id in entrant.scores for paper in papers if paper.counts_for_merit)


def _qualifies(papers: Sequence[ExamPaperRule], entrant: Entrant) -> bool:
    """Return whether every qualifying paper was taken and passed, and no paper fails by its own rules."""
    return all(_passes(paper, entrant) for paper in papers)


def _passes(paper: ExamPaperRule, entrant: Entrant) -> bool:
    score, percent = entrant.scores.get(paper.id), _qualifying_percent(paper, entrant)
    if score is None:
        return percent is None
    if score.qualification is not Qualification.QUALIFIED:
        return False
    return percent is None or Fraction(score.printed) >= Fraction(percent) / 100 * paper.max_score


def _qualifying_percent(paper: ExamPaperRule, entrant: Entrant) -> Decimal | None:
    """Return the lowest share of the candidate's groups. A category without a share has that of the paper."""
    found = [paper.group_percents[group] for group in groups_of(entrant) if group in paper.group_percents]
    if entrant.category not in paper.group_percents and paper.qualifying_percent is not None:
        found.append(paper.qualifying_percent)
    return min(found, default=None)


def groups_of(entrant: Entrant) -> list[str]:
    """Return the groups of a candidate: the category, and for disability 2 also `pwbd` and `pwbd_2`."""
    return [entrant.category, *(["pwbd", f"pwbd_{entrant.pwbd}"] if entrant.pwbd else [])]


def _total(papers: Sequence[ExamPaperRule], entrant: Entrant) -> Fraction:
    return sum((entrant.scores[paper.id].exact for paper in papers if paper.counts_for_merit), Fraction(0))


def _printed_total(papers: Sequence[ExamPaperRule], entrant: Entrant) -> Decimal:
    return sum(
        (entrant.scores[paper.id].printed for paper in papers if paper.counts_for_merit), Decimal("0.00")
    )


def lowest_clearing(totals: Iterable[tuple[Fraction, Decimal]], cutoff: Decimal) -> Fraction | None:
    """Return the lowest exact total of those whose printed total reaches a cut-off; None if there is none.

    Whoever has as much clears the cut-off too. Otherwise it would part equal totals: under the `upsc` policy
    4/3 + 4/3 is printed as 2.68, and 2/3 + 2 as 2.66.
    """
    return min((exact for exact, printed in totals if printed >= cutoff), default=None)


def _cutoff(
    papers: Sequence[ExamPaperRule],
    entrant: Entrant,
    cutoffs: Mapping[str, Decimal],
    outcome: ExamOutcome,
    total: Fraction | None,
    lowest: Mapping[Decimal, Fraction | None],
) -> Cutoff | None:
    """The cut-off that the candidate has to reach: the lowest of those for their groups."""
    found = [(cutoffs[group], group) for group in groups_of(entrant) if group in cutoffs]
    if not found:
        return None
    marks, group = min(found, key=lambda each: each[0])
    if outcome is not ExamOutcome.RANKED:
        return Cutoff(group, marks, NotCleared(outcome), _papers_behind(outcome, papers, entrant))
    needed = lowest[marks]
    reached = total is not None and needed is not None and total >= needed
    return Cutoff(group, marks, None if reached else NotCleared.BELOW_MARKS)


def _papers_behind(
    outcome: ExamOutcome, papers: Sequence[ExamPaperRule], entrant: Entrant
) -> tuple[UUID, ...]:
    """Return the papers because of which a candidate has this outcome."""
    scores = entrant.scores
    if outcome is ExamOutcome.NOT_QUALIFIED:
        return tuple(paper.id for paper in papers if not _passes(paper, entrant))
    if outcome is ExamOutcome.INCOMPLETE:
        return tuple(paper.id for paper in papers if paper.counts_for_merit and paper.id not in scores)
    if outcome is ExamOutcome.DISQUALIFIED:
        return tuple(
            paper.id for paper in papers if paper.id in scores and _is_disqualified(scores[paper.id])
        )
    return ()
