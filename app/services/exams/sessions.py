"""Session groups of an exam: their rules, who sits which session, and scores on one scale at the release."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from app.core.errors import FieldError, Invalid, NotPossible, SessionTaken
from app.engine.merit import Entrant, ExamPaperRule, MeritResult, PaperResult
from app.engine.normalization import NORMALIZATION_METHODS, NormalizationUndefined
from app.engine.session_groups import Compute, ScaledGroup, SessionGroup, merit_of_sessions, scaled
from app.models import Exam, ExamPaper, Registration
from app.sentences import Sentence
from app.services.unit_of_work import Reading

NTA_PERCENTILE = "nta_percentile"


def groups_of(papers: Sequence[ExamPaper]) -> Mapping[str, Sequence[ExamPaper]]:
    """The papers of each session group, in their order."""
    groups: dict[str, list[ExamPaper]] = {}
    for paper in papers:
        if paper.session_group is not None:
            groups.setdefault(paper.session_group, []).append(paper)
    return groups


async def obstacles(
    reads: Reading, exam: Exam, papers: Sequence[ExamPaper], versions: Sequence[UUID | None]
) -> list[FieldError]:
    """What is wrong with the session groups of an exam that shall be published with these paper versions."""
    most = await reads.exams.max_marks([version for version in versions if version is not None])
    marks = {
        paper.id: most.get(version) if version else None
        for paper, version in zip(papers, versions, strict=True)
    }
    found = []
    for group, members in groups_of(papers).items():
        first = members[0]
        if len(members) == 1:
            sentence = Sentence(
                "The session group {group} has one paper. Add another one to it, or remove the group.",
                group=group,
            )
            found.append(FieldError(f"papers.{papers.index(first)}.session_group", sentence))
        for paper in members[1:]:
            if (_rules_of(paper), marks[paper.id]) != (_rules_of(first), marks[first.id]):
                sentence = Sentence(
                    "The papers {first} and {other} are of one session group. Give both the same maximum"
                    " marks, qualifying shares and counts_for_merit.",
                    first=first.code,
                    other=paper.code,
                )
                found.append(FieldError(f"papers.{papers.index(paper)}.session_group", sentence))
    if wrong := _wrong_method(exam, papers):
        found.append(FieldError("normalization.method", wrong))
    return found


def check_method(exam: Exam, papers: Sequence[ExamPaper]) -> None:
    """Raise Invalid if the method of normalization does not fit the papers."""
    if sentence := _wrong_method(exam, papers):
        raise Invalid.field("normalization.method", sentence)


def _wrong_method(exam: Exam, papers: Sequence[ExamPaper]) -> str | None:
    if exam.normalization == "none":
        return None
    merit_groups = {paper.session_group for paper in papers if paper.counts_for_merit}
    if not merit_groups - {None}:
        return Sentence(
            "A method of normalization needs papers of a session group that count for merit. Give papers a"
            " session_group, or choose none."
        )
    if exam.normalization == NTA_PERCENTILE and len(merit_groups) > 1:
        return Sentence(
            "Percentiles cannot be added to other scores: all papers that count for merit must be of one"
            " session group. Choose another method, or change the papers."
        )
    return None


def _rules_of(paper: ExamPaper) -> tuple[Any, ...]:
    shares = paper.qualifying_percent, paper.group_percents, paper.section_percents
    return paper.counts_for_merit, *shares


async def require_no_other(reads: Reading, exam: Exam, paper: ExamPaper, registration: Registration) -> None:
    """Raise SessionTaken if the candidate has an attempt at another paper of the session group.

    A void attempt counts too: it can be reopened. The caller has locked the candidate.
    """
    others = await other_papers(reads, exam, paper)
    if not others:
        return
    codes = {other.id: other.code for other in others}
    for attempt in await reads.exam_attempts.of_registration(exam.id, registration.id):
        if attempt.exam_paper_id in codes:
            raise SessionTaken(codes[attempt.exam_paper_id])


async def other_papers(reads: Reading, exam: Exam, paper: ExamPaper) -> Sequence[ExamPaper]:
    """The other papers of the session group of a paper."""
    if paper.session_group is None:
        return []
    group = groups_of(await reads.exams.papers(exam.id))[paper.session_group]
    return [other for other in group if other.id != paper.id]


def results(
    exam: Exam,
    papers: Sequence[ExamPaper],
    rules: Sequence[ExamPaperRule],
    entrants: Sequence[Entrant],
    compute: Compute,
) -> list[MeritResult]:
    """The results of all candidates, with the scores of each session group on one scale.

    Raises NotPossible if the exam's method has no result for the marks.
    """
    groups = [_scaled(exam, members, entrants) for members in groups_of(papers).values()]
    if not groups:
        return compute(rules, entrants)
    return merit_of_sessions(groups, rules, entrants, compute)


def without_scale(exam: Exam, papers: Sequence[ExamPaper], entrants: Sequence[Entrant]) -> str | None:
    """The codes of the papers for whose marks the exam's method has no result, or None."""
    for members in groups_of(papers).values():
        try:
            scaled(_session_group(exam, members), entrants)
        except NormalizationUndefined as error:
            return _codes(members, error)
    return None


def _scaled(exam: Exam, members: Sequence[ExamPaper], entrants: Sequence[Entrant]) -> ScaledGroup:
    try:
        return scaled(_session_group(exam, members), entrants)
    except NormalizationUndefined as error:
        raise NotPossible(
            Sentence(
                "The method {method} has no result for the marks of {papers}. Choose another method of"
                " normalization.",
                method=exam.normalization,
                papers=_codes(members, error),
            )
        ) from None


def _session_group(exam: Exam, members: Sequence[ExamPaper]) -> SessionGroup:
    counts = members[0].counts_for_merit
    method = NORMALIZATION_METHODS[exam.normalization] if counts and exam.normalization != "none" else None
    return SessionGroup(tuple(paper.id for paper in members), method)


def _codes(members: Sequence[ExamPaper], error: NormalizationUndefined) -> str:
    return (
        ", ".join(paper.code for paper in members) if error.session is None else members[error.session].code
    )


def is_listed(paper: ExamPaper, papers: Sequence[ExamPaper], sat: Mapping[UUID, PaperResult]) -> bool:
    """Whether a result lists a paper: of a session group only the one that was sat, or all if none was."""
    if paper.session_group is None or paper.id in sat:
        return True
    return not any(other.id in sat for other in groups_of(papers)[paper.session_group])


def stored(paper: ExamPaper, sat: PaperResult | None) -> dict[str, Any]:
    """What a stored result says of the session of a paper."""
    if paper.session_group is None:
        return {}
    normalized = sat.score.normalized if sat else None
    return {
        "session_group": paper.session_group,
        "normalized": str(normalized) if normalized is not None else None,
    }
