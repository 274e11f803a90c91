"""The official results of an exam: qualifying papers, merit papers, totals, ranks and cut-offs."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from math import ceil, lcm
from uuid import UUID

from app.engine.qualifying import Qualification
from app.engine.qualifying_shares import QualifyingShares, groups_of, reaches_share
from app.engine.ranking import PercentileDefinition, Standing, places, standings
from app.engine.tie_breaks import TieBreakKey


class ExamOutcome(StrEnum):
    """The outcome of an exam for a candidate.

    An ABSENT candidate took no paper, an INCOMPLETE one missed a paper that counts for merit. Neither has a
    rank; a missed paper is not a score of zero. Of a VOID candidate no attempt is left that counts, and at
    least one was voided. NOT_QUALIFIED failed a paper or one of its sections, or missed a paper in which they
    had something to reach. DISQUALIFIED left too many questions of a paper without any mark. STAFF were staff
    when they sat a paper.
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


@dataclass(frozen=True, slots=True)
class ExamPaperRule:
    """How a paper counts. `shares` are what the score must reach of the maximum."""

    id: UUID
    counts_for_merit: bool
    max_score: Fraction
    shares: QualifyingShares = field(default_factory=QualifyingShares)
    sections: Mapping[UUID, QualifyingShares] = field(default_factory=dict)
    """The shares of sections that have their own."""
    has_minimum: bool = False
    """Whether a section of the test has minimum marks. A score says by itself whether it reaches them."""

    def must_be_taken_by(self, entrant: "Entrant") -> bool:
        """Return whether the candidate has something to reach in it, and so fails it by missing it."""
        shares = (self.shares, *self.sections.values())
        return self.has_minimum or any(each.of(entrant.category, entrant.pwbd) is not None for each in shares)


@dataclass(frozen=True, slots=True)
class JudgedSection:
    """A candidate's score in a section, and the maximum by the key that marked it."""

    exact: Fraction
    printed: Decimal
    maximum: Fraction

    def reaches(self, percent: Decimal) -> bool:
        """Return whether the score is at least this share of the maximum."""
        return reaches_share(self.exact, self.printed, percent, self.maximum)


@dataclass(frozen=True, slots=True)
class PaperScore:
    """A candidate's score in one paper: exact, and as it is printed."""

    exact: Fraction
    printed: Decimal
    qualification: Qualification = Qualification.QUALIFIED
    practice: bool = False
    """Whether the candidate was staff between the start and the grading (docs/decisions/0054)."""
    sections: Mapping[UUID, JudgedSection] = field(default_factory=dict)
    """The scores of the sections that have shares in the exam."""
    normalized: Decimal | None = None
    """The score on the scale of all sessions, if it is compared with other sessions."""

    @property
    def is_ranked(self) -> bool:
        """Whether the score takes part in the ranks of its paper."""
        return not self.practice and self.qualification is not Qualification.DISQUALIFIED


@dataclass(frozen=True, slots=True)
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
    excused: Collection[UUID] = ()
    """Papers that the candidate need not take: other sessions than the one that was sat."""
    tie_break: TieBreakKey = ()
    """What parts candidates with equal totals: the smaller key is first."""


@dataclass(frozen=True, slots=True)
class PaperResult:
    """A candidate's result in one paper, ranked among all whose score `is_ranked`."""

    score: PaperScore
    qualified: bool
    standing: Standing | None
    sections_below: tuple[UUID, ...] = ()
    """The sections whose share was not reached."""


@dataclass(frozen=True, slots=True)
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


@dataclass(frozen=True, slots=True)
class Standings:
    """The standings of a ranked candidate: overall, in the category, and among those with a disability."""

    overall: Standing
    in_category: Standing
    in_pwbd: Standing | None


@dataclass(frozen=True, slots=True)
class MeritResult:
    """One candidate's result. `printed_total` is the sum of the printed scores of the merit papers."""

    entrant: Entrant
    outcome: ExamOutcome
    qualified: bool
    papers: Mapping[UUID, PaperResult]
    total: Fraction | None
    printed_total: Decimal | None
    standings: Standings | None
    cutoff: Cutoff | None

    @property
    def standing(self) -> Standing | None:
        return self.standings.overall if self.standings else None


def merit(
    papers: Sequence[ExamPaperRule],
    entrants: Sequence[Entrant],
    cutoffs: Mapping[str, Decimal],
    definition: PercentileDefinition = PercentileDefinition.AT_OR_BELOW,
) -> list[MeritResult]:
    """Return the results of all registered candidates, in their order.

    Ranks compare exact totals of the merit papers, among candidates who qualified and took all of them. Equal
    totals share a rank, unless their tie-breaks differ. Qualifying marks and cut-offs are compared with
    printed scores, as UPSC does, and with exact ones, which may be higher. Equal totals of several papers can
    be printed differently (`lowest_clearing`). If several groups of a candidate have a cut-off, the lowest
    applies.
    """
    return _Merit(papers, entrants, cutoffs, definition).results()


@dataclass(frozen=True, slots=True)
class _Column:
    """One paper, with an entry for each candidate in their order. Exact scores are whole numbers here."""

    rule: ExamPaperRule
    scores: Sequence[PaperScore | None]
    exact: Sequence[int | None]
    failed: Sequence[bool]
    standings: Mapping[int, Standing]

    def result(self, place: int, entrant: Entrant) -> PaperResult | None:
        """The result of one candidate; None for who missed the paper."""
        score, exact = self.scores[place], self.exact[place]
        if score is None or exact is None:
            return None
        below = _sections_below(self.rule, score, entrant) if self.rule.sections else ()
        return PaperResult(
            score, not self.failed[place], self.standings[exact] if score.is_ranked else None, below
        )


class _Merit:
    """One computation. Exact scores are compared as whole numbers: in parts of their common denominator.

    Candidates are known by their place: a dictionary by id takes longer than the arithmetic.
    """

    def __init__(
        self,
        papers: Sequence[ExamPaperRule],
        entrants: Sequence[Entrant],
        cutoffs: Mapping[str, Decimal],
        definition: PercentileDefinition,
    ) -> None:
        self._entrants = entrants
        self._cutoffs = cutoffs
        self._definition = definition
        scores = [[entrant.scores.get(paper.id) for entrant in entrants] for paper in papers]
        self._denominator = lcm(*{each.exact.denominator for column in scores for each in column if each})
        self._columns = [self._column(paper, column) for paper, column in zip(papers, scores, strict=True)]
        self._merit = [column for column in self._columns if column.rule.counts_for_merit]

    def results(self) -> list[MeritResult]:
        everybody = range(len(self._entrants))
        outcomes = [self._outcome(place) for place in everybody]
        totals = [self._total(place) for place in everybody]
        ranked = [place for place in everybody if outcomes[place] is ExamOutcome.RANKED]
        standings_of = self._standings(ranked, totals)
        lowest = self._lowest_clearing(ranked, totals)
        exact = {total: Fraction(total, self._denominator) for total in set(totals) if total is not None}
        return [
            MeritResult(
                entrant=self._entrants[place],
                outcome=outcomes[place],
                qualified=outcomes[place] is not ExamOutcome.STAFF and not self._failed(place),
                papers=self._paper_results(place),
                total=exact[total] if (total := totals[place]) is not None else None,
                printed_total=self._printed_total(place) if total is not None else None,
                standings=standings_of.get(place),
                cutoff=self._cutoff(place, outcomes[place], total, lowest),
            )
            for place in everybody
        ]

    def _column(self, paper: ExamPaperRule, scores: Sequence[PaperScore | None]) -> _Column:
        exact = [self._whole(score.exact) if score else None for score in scores]
        ranked = Counter(
            whole
            for score, whole in zip(scores, exact, strict=True)
            if score is not None and whole is not None and score.is_ranked
        )
        failed = [
            not _passes(paper, score, entrant) for score, entrant in zip(scores, self._entrants, strict=True)
        ]
        return _Column(paper, scores, exact, failed, standings(ranked, self._definition))

    def _whole(self, exact: Fraction) -> int:
        return exact.numerator * (self._denominator // exact.denominator)

    def _paper_results(self, place: int) -> Mapping[UUID, PaperResult]:
        entrant = self._entrants[place]
        results = ((column.rule.id, column.result(place, entrant)) for column in self._columns)
        return {paper_id: result for paper_id, result in results if result is not None}

    def _outcome(self, place: int) -> ExamOutcome:
        entrant = self._entrants[place]
        if entrant.was_staff:
            return ExamOutcome.STAFF
        if not entrant.scores:
            return ExamOutcome.VOID if entrant.has_void else ExamOutcome.ABSENT
        if any(_is_disqualified(column.scores[place]) for column in self._columns):
            return ExamOutcome.DISQUALIFIED
        if any(column.scores[place] is None for column in self._merit):
            return ExamOutcome.INCOMPLETE
        return ExamOutcome.NOT_QUALIFIED if self._failed(place) else ExamOutcome.RANKED

    def _failed(self, place: int) -> bool:
        return any(column.failed[place] for column in self._columns)

    def _total(self, place: int) -> int | None:
        """The total of a candidate who took all merit papers."""
        total = 0
        for column in self._merit:
            exact = column.exact[place]
            if exact is None:
                return None
            total += exact
        return total if self._entrants[place].scores else None

    def _printed_total(self, place: int) -> Decimal:
        found = (column.scores[place] for column in self._merit)
        return sum((score.printed for score in found if score), Decimal("0.00"))

    def _standings(self, ranked: Sequence[int], totals: Sequence[int | None]) -> Mapping[int, Standings]:
        keys = {place: (totals[place] or 0, self._entrants[place].tie_break) for place in ranked}
        best_first = sorted(ranked, key=lambda place: (-keys[place][0], keys[place][1]))

        def among(places_in_order: Sequence[int]) -> Mapping[int, Standing]:
            found = places([keys[place] for place in places_in_order], self._definition)
            return dict(zip(places_in_order, found, strict=True))

        by_category: dict[str, list[int]] = {}
        for place in best_first:
            by_category.setdefault(self._entrants[place].category, []).append(place)
        overall = among(best_first)
        in_category = {place: each for group in by_category.values() for place, each in among(group).items()}
        in_pwbd = among([place for place in best_first if self._entrants[place].pwbd is not None])
        return {
            place: Standings(standing, in_category[place], in_pwbd.get(place))
            for place, standing in overall.items()
        }

    def _lowest_clearing(
        self, ranked: Sequence[int], totals: Sequence[int | None]
    ) -> Mapping[Decimal, int | None]:
        wanted = set(self._cutoffs.values())
        if not wanted:
            return {}
        printed = {(totals[place] or 0, self._printed_total(place)) for place in ranked}
        return {
            marks: lowest_clearing(printed, marks, ceil(Fraction(marks) * self._denominator))
            for marks in wanted
        }

    def _cutoff(
        self, place: int, outcome: ExamOutcome, total: int | None, lowest: Mapping[Decimal, int | None]
    ) -> Cutoff | None:
        """The cut-off that the candidate has to reach: the lowest of those for their groups."""
        entrant, cutoffs = self._entrants[place], self._cutoffs
        groups = groups_of(entrant.category, entrant.pwbd)
        found = [(cutoffs[group], group) for group in groups if group in cutoffs]
        if not found:
            return None
        marks, group = min(found, key=lambda each: each[0])
        if outcome is not ExamOutcome.RANKED:
            return Cutoff(group, marks, NotCleared(outcome), self._papers_behind(place, outcome))
        needed = lowest[marks]
        reached = total is not None and needed is not None and total >= needed
        return Cutoff(group, marks, None if reached else NotCleared.BELOW_MARKS)

    def _papers_behind(self, place: int, outcome: ExamOutcome) -> tuple[UUID, ...]:
        """The papers because of which a candidate has this outcome."""
        match outcome:
            case ExamOutcome.NOT_QUALIFIED:
                return tuple(column.rule.id for column in self._columns if column.failed[place])
            case ExamOutcome.INCOMPLETE:
                return tuple(column.rule.id for column in self._merit if column.scores[place] is None)
            case ExamOutcome.DISQUALIFIED:
                found = (column for column in self._columns if _is_disqualified(column.scores[place]))
                return tuple(column.rule.id for column in found)
            case _:
                return ()


def lowest_clearing(totals: Iterable[tuple[int, Decimal]], cutoff: Decimal, exact_cutoff: int) -> int | None:
    """Return the lowest exact total that reaches a cut-off, itself or as printed; None if there is none.

    Whoever has as much clears the cut-off too. Otherwise it would part equal totals: under the `upsc` policy
    4/3 + 4/3 is printed as 2.68, and 2/3 + 2 as 2.66.
    """
    found = (exact for exact, printed in totals if printed >= cutoff or exact >= exact_cutoff)
    return min(found, default=None)


def _is_disqualified(score: PaperScore | None) -> bool:
    return score is not None and score.qualification is Qualification.DISQUALIFIED


def _passes(paper: ExamPaperRule, score: PaperScore | None, entrant: Entrant) -> bool:
    """Return whether no rule of the paper or the exam fails the score, or the candidate for missing it."""
    if score is None:
        return paper.id in entrant.excused or not paper.must_be_taken_by(entrant)
    if score.qualification is not Qualification.QUALIFIED:
        return False
    percent = paper.shares.of(entrant.category, entrant.pwbd)
    if percent is not None and not reaches_share(score.exact, score.printed, percent, paper.max_score):
        return False
    return not (paper.sections and _sections_below(paper, score, entrant))


def _sections_below(paper: ExamPaperRule, score: PaperScore, entrant: Entrant) -> tuple[UUID, ...]:
    """The sections whose score does not reach the share of the candidate's groups."""
    return tuple(
        section_id
        for section_id, shares in paper.sections.items()
        if (percent := shares.of(entrant.category, entrant.pwbd)) is not None
        and not score.sections[section_id].reaches(percent)
    )
