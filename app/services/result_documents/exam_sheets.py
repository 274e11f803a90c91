"""Result sheets of an exam: the facts of a release become the content of a page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from app.models import Exam, ExamPaper, ExamRelease, ExamResult
from app.repositories.exams import IssuedResult
from app.services.printing.results import (
    Column,
    Figure,
    PrintedFact,
    SheetContent,
    Verification,
)
from app.services.result_documents import wording
from app.services.result_documents.languages import DocumentLanguage, Text, day, localized, minute
from app.services.result_documents.verification import exam_digest


@dataclass(frozen=True, slots=True)
class ReleasedExam:
    """An exam with one of its releases, as all documents of it need it."""

    institute: str
    exam: Exam
    papers: Sequence[ExamPaper]
    release: ExamRelease


def exam_sheet(
    released: ReleasedExam, issued: IssuedResult, language: DocumentLanguage, now: datetime
) -> SheetContent:
    """The result sheet of a candidate."""
    result, registration = issued.result, issued.registration
    return SheetContent(
        language="hi" if language == "hi" else "en",
        institute=released.institute,
        title=wording.RESULT_SHEET.lines(language),
        subtitle=unique(localized(released.exam.title).lines(language)),
        facts=[
            PrintedFact(wording.NAME.lines(language), registration.name),
            PrintedFact(wording.ROLL_NUMBER.lines(language), result.roll_number),
            PrintedFact(
                wording.CATEGORY.lines(language), category(registration.category, registration.pwbd, language)
            ),
            PrintedFact(wording.OUTCOME.lines(language), wording.OUTCOMES[result.outcome].line(language)),
        ],
        figures=list(_figures(released, issued, language)),
        columns=_columns(language),
        rows=[_row(paper, _titles(released), language) for paper in result.papers],
        more_facts=_cutoff(result, language),
        notes=_notes(released, issued, language),
        verification=verification_of(result.registration_id, result.version, exam_digest(result), language),
        footer=wording.PRINTED_ON.line(language, minute=minute(now)),
    )


def verification_of(document_id: UUID, version: int, digest: str, language: DocumentLanguage) -> Verification:
    """The lines by which staff look the document up."""
    return Verification(
        heading=wording.VERIFICATION.line(language),
        facts=[
            PrintedFact(wording.DOCUMENT.lines(language), str(document_id)),
            PrintedFact(wording.VERSION.lines(language), str(version)),
            PrintedFact(wording.DIGEST.lines(language), digest),
        ],
        note=wording.VERIFICATION_NOTE.lines(language),
    )


def category(name: str, pwbd: int | None, language: DocumentLanguage) -> str:
    """A category, and the kind of disability if there is one."""
    groups = [name, *([f"pwbd_{pwbd}"] if pwbd else [])]
    return ", ".join(wording.CATEGORIES[group].line(language) for group in groups)


def maximum_total(papers: Sequence[Mapping[str, Any]], placed: Sequence[ExamPaper]) -> str:
    """The most marks of the papers that count for merit."""
    merit = {str(paper.id) for paper in placed if paper.counts_for_merit}
    found = [Decimal(paper["max_score"]) for paper in papers if paper["paper_id"] in merit]
    return str(sum(found, Decimal(0)))


def percentile_text(percentile: float) -> str:
    """A percentile with seven places, as NTA prints them."""
    return f"{percentile:.7f}"


def unique(lines: Sequence[str]) -> list[str]:
    """The lines without repetitions: a title that exists in one language appears once."""
    return list(dict.fromkeys(lines))


def _figures(released: ReleasedExam, issued: IssuedResult, language: DocumentLanguage) -> list[Figure]:
    result, registration = issued.result, issued.registration
    found = []
    if result.total is not None:
        below = _total_note(released, issued, language)
        found.append(Figure(wording.TOTAL.lines(language), result.total, below))
    if result.rank is not None:
        below = wording.RANK_OF.line(language, participants=released.release.participants)
        found.append(Figure(wording.RANK.lines(language), str(result.rank), below))
    if result.category_rank is not None:
        below = wording.CATEGORIES[registration.category].line(language)
        found.append(Figure(wording.CATEGORY_RANK.lines(language), str(result.category_rank), below))
    if result.pwbd_rank is not None:
        below = wording.CATEGORIES["pwbd"].line(language)
        found.append(Figure(wording.PWBD_RANK.lines(language), str(result.pwbd_rank), below))
    if result.percentile is not None:
        found.append(Figure(wording.PERCENTILE.lines(language), percentile_text(result.percentile)))
    return found


def _total_note(released: ReleasedExam, issued: IssuedResult, language: DocumentLanguage) -> str:
    """The maximum of the total, or how it was normalized: a normalized score has no maximum of marks."""
    if method := wording.NORMALIZED_BY.get(released.exam.normalization):
        return method.line(language)
    return wording.TOTAL_OF.line(language, maximum=maximum_total(issued.result.papers, released.papers))


def _columns(language: DocumentLanguage) -> list[Column]:
    return [
        Column(wording.PAPER.lines(language), "left"),
        Column(wording.MARKS.lines(language)),
        Column(wording.MAXIMUM.lines(language)),
        Column(wording.QUALIFYING_MARKS.lines(language), "center"),
        Column(wording.RANK_IN_PAPER.lines(language)),
        Column(wording.PERCENTILE.lines(language)),
    ]


def _titles(released: ReleasedExam) -> Mapping[str, ExamPaper]:
    return {str(paper.id): paper for paper in released.papers}


def _row(paper: Mapping[str, Any], papers: Mapping[str, ExamPaper], language: DocumentLanguage) -> list[str]:
    placed = papers[paper["paper_id"]]
    title = localized(placed.title).line(language)
    missed = paper["score"] is None
    return [
        title if placed.code in title else f"{placed.code}: {title}",
        wording.MISSED.line(language) if missed else paper["score"],
        paper["max_score"],
        _qualifying(paper, placed).line(language),
        str(paper["rank"]) if paper["rank"] is not None else wording.NONE,
        percentile_text(paper["percentile"]) if paper["percentile"] is not None else wording.NONE,
    ]


def _qualifying(paper: Mapping[str, Any], placed: ExamPaper) -> Text:
    """Whether a paper was passed. A paper without a rule that was taken has nothing to say."""
    has_rule = placed.qualifying_percent is not None or bool(placed.group_percents)
    if paper["score"] is not None and not paper["qualified"]:
        return wording.NOT_PASSED
    if not has_rule or paper["score"] is None:
        return Text(wording.NONE, wording.NONE)
    return wording.PASSED


def _cutoff(result: ExamResult, language: DocumentLanguage) -> list[PrintedFact]:
    cutoff = result.cutoff
    if not cutoff:
        return []
    group = wording.CATEGORIES[cutoff["category"]]
    state = wording.CLEARED if cutoff["cleared"] else wording.NOT_CLEARED
    value = f"{cutoff['marks']} ({group.line(language)}): {state.line(language)}"
    return [PrintedFact(wording.CUTOFF.lines(language), value)]


def _notes(released: ReleasedExam, issued: IssuedResult, language: DocumentLanguage) -> list[str]:
    release, before = released.release, issued.previous
    notes = wording.RELEASED.lines(language, version=release.version, day=day(release.created_at))
    if before is not None:
        notes += wording.REVISED.lines(
            language,
            version=before.version,
            total=before.total or wording.NONE,
            rank=before.rank or wording.NONE,
        )
    if issued.result.percentile is not None:
        notes += wording.PERCENTILES_ARE[release.percentile_definition].lines(language)
    if issued.result.rank is not None:
        notes += wording.ranks_are(release.tie_breaks).lines(language)
    return notes
