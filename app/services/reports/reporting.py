"""Loads what a report needs, and makes the page in a child process."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import orjson

from app.engine.dropped_keys import is_dropped
from app.engine.question_types import question_type
from app.models import LocalizedText
from app.repositories.analytics.answer_sheets import SheetsInBulk
from app.repositories.analytics.holding_papers import HoldingPaper
from app.repositories.analytics.matrices import Group
from app.sentences import Sentence
from app.services import tests
from app.services.analytics import test_statistics
from app.services.analytics.candidates import check_may_see
from app.services.analytics.test_statistics import AnalyzedItems
from app.services.components import Components
from app.services.reports.content import MaterialItem, ReportMaterial, labels_of
from app.services.tests.papers import FrozenPaper, FrozenQuestion
from app.services.unit_of_work import Reading
from app.services.users import Principal

MAX_SHEETS = 20_000
"""Shares of options are drawn from at most so many answer sheets: they are then exact to a percent."""

_MAX_TEXT_LENGTH = 220
_ADVICE = Sentence("An operator can raise FILE_SECONDS and FILE_MEMORY_MB.")


async def material(
    reads: Reading,
    parts: Components,
    staff: Principal,
    test_id: UUID,
    paper_version: int | None = None,
    exam_paper_id: UUID | None = None,
) -> ReportMaterial:
    """What the report on a test is made from: by default on the newest version with results.

    Raises NotFound if the embargo hides the test, and for a version or an exam paper without statistics;
    Forbidden for authors who did not make the test. Reading keys under embargo is recorded.
    """
    await check_may_see(reads, staff, test_id)
    found = await test_statistics.items(
        reads, parts, staff, test_id, paper_version=paper_version, exam_paper_id=exam_paper_id
    )
    if found is None:
        test = await reads.candidates.test(tests.viewer(staff), test_id)
        rests_on = [test_statistics.never_computed()]
        return ReportMaterial(_text(test.title), "", rests_on, 0, 0.0, [], None, [], SheetsInBulk())
    row = found.analyzed.row
    group = Group(test_id, row.cohort_id, row.paper_id, row.key_id, row.participants)
    sheets = await reads.answer_sheets_in_bulk.load(group, found.analyzed.key.rules, MAX_SHEETS)
    return _of(found, sheets)


async def page(parts: Components, staff: Principal, found: ReportMaterial) -> bytes:
    """The report as one HTML file. Raises TooComplex, Unavailable."""
    from app.services.reports.rendering import make_page  # noqa: PLC0415 -- matplotlib

    return await parts.files.run(make_page, found, caller=staff.id, advice=_ADVICE)


def _of(found: AnalyzedItems, sheets: SheetsInBulk) -> ReportMaterial:
    analyzed = found.analyzed
    document = orjson.loads(analyzed.paper.document)
    row = analyzed.row
    place = f"version {analyzed.paper.version}"
    if analyzed.exam is not None and analyzed.exam_paper is not None:
        place = f"{_text(analyzed.exam.title)}, paper {analyzed.exam_paper.code}, {place}"
    return ReportMaterial(
        title=_text(document["title"]),
        subtitle=place[0].upper() + place[1:],
        rests_on=list(_rests_on(found)),
        attempts=row.attempts,
        max_score=float(analyzed.key.rules.max_score),
        items=_items(found, document["questions"]),
        analysis=row.analysis,
        median_ms=row.median_ms,
        sheets=sheets,
    )


def _rests_on(found: AnalyzedItems) -> Sequence[str]:
    analyzed = found.analyzed
    sentences = [
        f"It rests on {analyzed.row.attempts:,} attempts: the first official attempt of each candidate.",
        f"They were marked by version {analyzed.key.number} of the key.",
        f"Computed on {analyzed.row.computed_at:%d %B %Y at %H:%M} UTC.",
    ]
    if analyzed.is_stale:
        sentences.append("Results have changed since: refresh the statistics for a current report.")
    return sentences


def _items(found: AnalyzedItems, entries: Sequence[Mapping[str, Any]]) -> list[MaterialItem]:
    paper, answer_key = found.analyzed.paper, found.analyzed.key.answer_key
    texts = {UUID(entry["id"]): _text(entry["text"]) for entry in entries}
    return [
        _item(question, paper, answer_key[str(question.id)]["key"], texts[question.id], found.holding)
        for question in paper.questions.values()
    ]


def _item(
    question: FrozenQuestion,
    paper: FrozenPaper,
    key: Mapping[str, Any],
    text: str,
    holding: Mapping[UUID, Sequence[HoldingPaper]],
) -> MaterialItem:
    options = question.options
    alternatives = _alternatives(question, key, labels_of(options))
    ids = _alternatives(question, key, {option: option for option in options})
    return MaterialItem(
        text=_shortened(text),
        right=" or ".join(" and ".join(together) for together in alternatives) or "dropped",
        option_ids=options,
        right_ids=frozenset(option for together in ids for option in together) & frozenset(options),
        papers=[_place(paper) for paper in holding.get(question.id, ())],
        guess=question_type(question.type).guess_share(options, question.not_attempted),
        is_optional=question.id in paper.optional_ids,
    )


def _alternatives(
    question: FrozenQuestion, key: Mapping[str, Any], labels: Mapping[str, str]
) -> list[list[str]]:
    """The right answers, each a list of what belongs together; none of a dropped question."""
    return [] if is_dropped(key) else question_type(question.type).printed_key(key, labels)


def _place(paper: HoldingPaper) -> str:
    place = f"{_text(paper.test_title)}, version {paper.paper_version}"
    return place if paper.exam_title is None else f"{place}, in {_text(paper.exam_title)}"


def _text(localized: LocalizedText | Mapping[str, str]) -> str:
    return localized.get("en") or next(iter(localized.values()), "")


def _shortened(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _MAX_TEXT_LENGTH else f"{line[:_MAX_TEXT_LENGTH].rsplit(' ', 1)[0]} …"
