"""The merit list on paper: the rows of a release become the content of the pages."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from app.repositories.exams import MeritRow
from app.services.printing.results import Column, MeritListContent
from app.services.result_documents import wording
from app.services.result_documents.exam_sheets import ReleasedExam, percentile_text, unique
from app.services.result_documents.languages import DocumentLanguage, Text, day, localized, minute


def merit_pages(
    released: ReleasedExam, rows: Sequence[MeritRow], language: DocumentLanguage, now: datetime
) -> MeritListContent:
    """The merit list with one row for each candidate."""
    has_cutoff = any(row.cutoff for row in rows)
    has_pwbd = any(row.pwbd_rank is not None for row in rows)
    columns = _columns(released, language, has_cutoff=has_cutoff, has_pwbd=has_pwbd)
    return MeritListContent(
        language="hi" if language == "hi" else "en",
        institute=released.institute,
        title=wording.MERIT_LIST.line(language),
        subtitle=unique(localized(released.exam.title).lines(language)),
        facts=_facts(released, language),
        columns=[column for column, _ in columns],
        widths=[width for _, width in columns],
        flowing=2,
        rows=[_row(row, released, language, has_cutoff=has_cutoff, has_pwbd=has_pwbd) for row in rows],
        notes=[
            *wording.ranks_are(released.release.tie_breaks).lines(language),
            *wording.PERCENTILES_ARE[released.release.percentile_definition].lines(language),
        ],
        end=wording.END_OF_LIST.lines(language, count=len(rows)),
        footer=wording.PRINTED_ON.line(language, minute=minute(now)),
    )


def _facts(released: ReleasedExam, language: DocumentLanguage) -> list[str]:
    release, cutoffs = released.release, released.exam.cutoffs
    facts = wording.RELEASED.lines(language, version=release.version, day=day(release.created_at))
    if not cutoffs:
        return [*facts, *wording.NO_CUTOFF.lines(language)]
    shown = Text(*(_cutoffs(cutoffs, each) for each in ("en", "hi")))
    return [*facts, *wording.CUTOFFS_WERE.lines(language, cutoffs=shown)]


def _cutoffs(cutoffs: Mapping[str, str], language: DocumentLanguage) -> str:
    known = [group for group in wording.CATEGORIES if group in cutoffs]
    return " · ".join(f"{wording.CATEGORIES[group].line(language)} {cutoffs[group]}" for group in known)


def _columns(
    released: ReleasedExam, language: DocumentLanguage, *, has_cutoff: bool, has_pwbd: bool
) -> list[tuple[Column, float]]:
    """The columns with their widths, in shares of the page."""
    both = 1.35 if language == "both" else 1
    columns = [
        (Column(wording.RANK.lines(language)), 1.1),
        (Column(wording.ROLL_NUMBER.lines(language), "left"), 2.0),
        (Column(wording.NAME.lines(language), "left"), 4.0),
        (Column(wording.CATEGORY.lines(language), "left"), 1.5 * both),
        (Column(wording.CATEGORY_RANK.lines(language)), 1.4),
        *([(Column(wording.PWBD_RANK.lines(language)), 1.4)] if has_pwbd else []),
        *((Column([paper.code]), 1.3) for paper in released.papers),
        (Column(wording.TOTAL.lines(language)), 1.4),
        (Column(wording.PERCENTILE.lines(language)), 1.8),
    ]
    if has_cutoff:
        columns.append((Column(wording.CUTOFF_CLEARED.lines(language), "center"), 1.2 * both))
    return columns


def _row(
    row: MeritRow, released: ReleasedExam, language: DocumentLanguage, *, has_cutoff: bool, has_pwbd: bool
) -> list[str]:
    scores = {paper["paper_id"]: paper["score"] for paper in row.papers}
    cells = [
        _number(row.rank),
        row.roll_number,
        row.name if row.rank is not None else f"{row.name} ({wording.OUTCOMES[row.outcome].line(language)})",
        wording.SHORT_CATEGORIES[row.category].line(language),
        _number(row.category_rank),
        *([_number(row.pwbd_rank)] if has_pwbd else []),
        *(scores.get(str(paper.id)) or wording.NONE for paper in released.papers),
        row.total or wording.NONE,
        percentile_text(row.percentile) if row.percentile is not None else wording.NONE,
    ]
    return [*cells, _cleared(row.cutoff).line(language)] if has_cutoff else cells


def _cleared(cutoff: Mapping[str, Any] | None) -> Text:
    if not cutoff:
        return Text(wording.NONE, wording.NONE)
    return wording.YES if cutoff["cleared"] else wording.NO


def _number(value: int | None) -> str:
    return wording.NONE if value is None else str(value)
