"""The result sheet of an attempt at a test."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from app.core.errors import NotGradedYet
from app.services import attempts
from app.services.attempts import ResultView
from app.services.components import Components
from app.services.printing.results import Column, Figure, PrintedFact, SheetContent
from app.services.result_documents import wording
from app.services.result_documents.documents import Document
from app.services.result_documents.exam_sheets import percentile_text, unique, verification_of
from app.services.result_documents.languages import DocumentLanguage, Text, day, localized, minute
from app.services.result_documents.verification import attempt_digest
from app.services.unit_of_work import Reading
from app.services.users import Principal


@dataclass(frozen=True, slots=True)
class _Count:
    """How many questions have an outcome. What a paper never has takes no column."""

    name: str
    label: Text
    is_always: bool = True


_COUNTS = (
    _Count("correct", wording.RIGHT),
    _Count("incorrect", wording.WRONG),
    _Count("partial", wording.PARTLY_RIGHT, is_always=False),
    _Count("unattempted", wording.BLANK),
    _Count("dropped", wording.DROPPED, is_always=False),
)


async def issue_test_sheet(
    reads: Reading,
    parts: Components,
    user: Principal,
    test_id: UUID,
    attempt_id: UUID | None,
    language: DocumentLanguage,
    now: datetime,
) -> Document:
    """The result sheet of one's own attempt, by default the latest.

    Raises what the result itself raises: NotFound, and NotGradedYet while an embargo holds.
    """
    view = await attempts.result(reads, parts, user, test_id, attempt_id)
    graded = await reads.attempts.result(view.attempt.id)
    if graded is None:
        raise NotGradedYet
    key = await parts.papers.key(reads, graded.key_id)
    paper = await parts.papers.get(reads, view.attempt.paper_id)
    sat = _Sat(
        view=view,
        key_version=key.number,
        name=user.name,
        category=await reads.result_documents.category_of(user.id),
        title=orjson.loads(paper.document)["title"],
        institute=await reads.result_documents.institute_name(user.institute_id),
    )
    content = _content(sat, language, now)
    return Document("result-sheet", content, f"result-sheet-{view.attempt.id}.pdf")


@dataclass(frozen=True, slots=True)
class _Sat:
    """A graded attempt with what its sheet says besides the marks."""

    view: ResultView
    key_version: int
    name: str
    category: str
    title: Mapping[str, str]
    institute: str


def _content(sat: _Sat, language: DocumentLanguage, now: datetime) -> SheetContent:
    view, attempt, figures = sat.view, sat.view.attempt, sat.view.figures
    digest = attempt_digest(attempt.id, sat.key_version, figures["score_exact"])
    submitted = minute(attempt.submitted_at or now)
    counts = [each for each in _COUNTS if each.is_always or figures[each.name]]
    return SheetContent(
        language="hi" if language == "hi" else "en",
        institute=sat.institute,
        title=wording.RESULT_SHEET.lines(language),
        subtitle=unique(localized(sat.title).lines(language)),
        facts=[
            PrintedFact(wording.NAME.lines(language), sat.name),
            PrintedFact(wording.CATEGORY.lines(language), wording.CATEGORIES[sat.category].line(language)),
            PrintedFact(wording.SUBMITTED.lines(language), submitted.line(language)),
        ],
        figures=_figures(view, language),
        columns=[
            Column(wording.SECTION.lines(language), "left"),
            *(Column(each.label.lines(language)) for each in counts),
            Column(wording.MARKS.lines(language)),
            Column(wording.MAXIMUM.lines(language)),
        ],
        rows=[
            *(_row(localized(section["name"]), section, counts, language) for section in view.sections),
            _row(wording.TOTAL, figures, counts, language),
        ],
        more_facts=[],
        notes=_notes(view, sat.key_version, language, now),
        verification=verification_of(attempt.id, sat.key_version, digest, language),
        footer=wording.PRINTED_ON.line(language, minute=minute(now)),
    )


def _figures(view: ResultView, language: DocumentLanguage) -> list[Figure]:
    below = wording.TOTAL_OF.line(language, maximum=view.figures["max_score"])
    found = [Figure(wording.TOTAL.lines(language), view.figures["score"], below)]
    if view.rank is not None:
        below = wording.RANK_OF.line(language, participants=view.participants)
        found.append(Figure(wording.RANK.lines(language), str(view.rank), below))
    if view.percentile is not None:
        found.append(Figure(wording.PERCENTILE.lines(language), percentile_text(view.percentile)))
    return found


def _row(
    title: Text, figures: Mapping[str, Any], counts: Sequence["_Count"], language: DocumentLanguage
) -> list[str]:
    numbers = [str(figures[each.name]) for each in counts]
    return [title.line(language), *numbers, figures["score"], figures["max_score"]]


def _notes(view: ResultView, key_version: int, language: DocumentLanguage, now: datetime) -> list[str]:
    notes = wording.MARKED_BY.lines(language, version=key_version)
    for revision in view.revisions:
        notes += wording.KEY_REVISED.lines(
            language,
            day=day(revision.at),
            before=revision.score_before,
            after=revision.score_after,
            rank_before=revision.rank_before or wording.NONE,
            rank_after=revision.rank_after or wording.NONE,
        )
    if view.rank is not None and view.attempt.exam_paper_id is None:
        notes += wording.LIVE_RANK.lines(language, day=day(now))
    if view.percentile is not None:
        notes += wording.PERCENTILE_IS.lines(language)
    return notes
