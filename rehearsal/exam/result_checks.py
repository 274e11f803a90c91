"""Checks of official results and of the merit list against the reference."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

from rehearsal.exam.candidates import SimulatedCandidate
from rehearsal.exam.expected_results import CandidateScores, ExpectedResult, PaperRules, expected_results
from rehearsal.exam.papers import RehearsedPaper
from rehearsal.marking import maximum, percentile, rank
from rehearsal.result_checks import marked_answers

_PERCENTILE_ERROR = Fraction(1, 1_000_000)
_PRINT_ERROR = Fraction(2, 100)

Result = Mapping[str, Any]
Exact = Mapping[str, Sequence[Fraction]]


def rules_of(papers: Sequence[RehearsedPaper]) -> list[PaperRules]:
    """How each paper counts."""
    return [PaperRules(paper.code, maximum(paper.questions), paper.qualifying_percent) for paper in papers]


def scores_of(candidate: SimulatedCandidate) -> CandidateScores:
    """A candidate's scores by paper, computed from the answers in the result, which are checked elsewhere.

    Printed scores are taken from the official result and must differ from the exact ones by rounding only.
    """
    exact, printed = {}, {}
    shown = {paper["code"]: paper for paper in (candidate.result or {}).get("papers", [])}
    for attempt in candidate.started_attempts:
        paper = attempt.paper
        if attempt.result is None or attempt.is_voided:
            continue
        exact[paper.code] = marked_answers(attempt.result, paper.questions, paper.question_ids).score
        printed[paper.code] = Decimal(shown.get(paper.code, {}).get("score") or "NaN")
    was_voided = any(attempt.is_voided for attempt in candidate.started_attempts)
    return CandidateScores(candidate.number, candidate.scenario.category, exact, printed, was_voided)


def mismatches(
    candidates: Sequence[SimulatedCandidate], papers: Sequence[RehearsedPaper], cutoffs: Mapping[str, str]
) -> list[str]:
    """What is wrong in the official results, by candidate."""
    everybody = [scores_of(candidate) for candidate in candidates if candidate.roll_number]
    unprinted = [each for each in everybody if any(value.is_nan() for value in each.printed.values())]
    if unprinted:
        return [
            f"Candidate {each.number}: a paper that was taken has no official score" for each in unprinted
        ]
    expected = expected_results(rules_of(papers), everybody)
    codes = [paper.code for paper in papers]
    of_paper = {code: [each.exact[code] for each in everybody if code in each.exact] for code in codes}
    by_number = {each.number: each for each in everybody}
    found = []
    for candidate in candidates:
        if candidate.result is None or candidate.number not in by_number:
            found.append(f"Candidate {candidate.number}: there is no official result")
            continue
        mine = by_number[candidate.number]
        wrong = [
            *_overall_mismatches(candidate.result, expected[candidate.number]),
            *_paper_mismatches(candidate.result, mine, of_paper),
            *_cutoff_mismatches(candidate.result, mine.category, expected[candidate.number], cutoffs),
        ]
        found += [f"Candidate {candidate.number}: official: {sentence}" for sentence in wrong]
    return found


def _overall_mismatches(result: Result, expected: ExpectedResult) -> Iterator[str]:
    shown = {
        "outcome": result["outcome"],
        "total": Fraction(result["total_exact"]) if result["total_exact"] is not None else None,
        "printed_total": Decimal(result["total"]) if result["total"] is not None else None,
        "rank": result["rank"],
        "category_rank": result["category_rank"],
        "participants": result["participants"],
    }
    for name, value in shown.items():
        if value != getattr(expected, name):
            yield f"{name} is {value}, it should be {getattr(expected, name)}"
    if not _is_close(result["percentile"], expected.percentile):
        yield f"percentile is {result['percentile']}, it should be {expected.percentile}"


def _paper_mismatches(result: Result, mine: CandidateScores, of_paper: Exact) -> Iterator[str]:
    for paper in result["papers"]:
        code, exact = paper["code"], mine.exact.get(paper["code"])
        if exact is None:
            if any(paper[name] is not None for name in ("score", "score_exact", "rank", "percentile")):
                yield f"{code} was not taken, and has {paper['score']}"
            continue
        if Fraction(paper["score_exact"]) != exact:
            yield f"{code} is {paper['score_exact']}, it should be {exact}"
        if abs(Fraction(paper["score"]) - exact) > _PRINT_ERROR:
            yield f"{code} is printed {paper['score']}, it is {exact}"
        expected = (rank(exact, of_paper[code]), len(of_paper[code]))
        if (paper["rank"], paper["participants"]) != expected:
            yield f"{code}: the rank is {paper['rank']} of {paper['participants']}, not {expected}"
        if not _is_close(paper["percentile"], percentile(exact, of_paper[code])):
            yield f"{code}: the percentile is {paper['percentile']}"


def _cutoff_mismatches(
    result: Result, category: str, expected: ExpectedResult, cutoffs: Mapping[str, str]
) -> Iterator[str]:
    marks, shown = cutoffs.get(category), result["cutoff"]
    if (marks is None) != (shown is None):
        yield f"the cut-off is {shown}, it should be {marks}"
    elif marks is not None and shown is not None:
        totals = [expected.total, expected.printed_total] if expected.outcome == "ranked" else []
        cleared = any(total is not None and total >= Fraction(marks) for total in totals)
        if shown["cleared"] != cleared:
            yield f"the cut-off was cleared: {shown['cleared']}, it should be {cleared}"


def merit_list_mismatches(
    merit_list: Sequence[Result], candidates: Sequence[SimulatedCandidate]
) -> list[str]:
    """The list has each ranked candidate once, the best first, with the figures of their own result."""
    found = []
    order = [(row["rank"], row["roll_number"]) for row in merit_list]
    if order != sorted(order):
        found.append("the merit list is not in order")
    own = {each.roll_number: each.result for each in candidates if each.result is not None}
    ranked = {roll_number for roll_number, result in own.items() if result["rank"] is not None}
    listed = [row["roll_number"] for row in merit_list]
    if sorted(listed) != sorted(ranked):
        found.append(f"the merit list has {len(listed)} rows for {len(ranked)} ranked candidates")
    for row in merit_list:
        mine = own.get(row["roll_number"])
        if mine is not None and any(row[name] != mine[name] for name in ("rank", "category_rank", "total")):
            found.append(f"the merit list and {row['roll_number']}'s own result differ")
    return found


def _is_close(shown: float | None, expected: Fraction | None) -> bool:
    if shown is None or expected is None:
        return shown is None and expected is None
    return abs(Fraction(shown) - expected) <= _PERCENTILE_ERROR
