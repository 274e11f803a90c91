"""The response sheets of a candidate on paper: what was answered in each paper of an exam, without marks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from string import ascii_uppercase
from typing import Any, Literal

from app.services.components import Components
from app.services.exams import CandidateResponses, PaperResponses
from app.services.printing.results import Column, PrintedFact, ResponseContent, ResponsePart
from app.services.result_documents import wording
from app.services.result_documents.documents import Document
from app.services.result_documents.exam_sheets import unique
from app.services.result_documents.file_names import file_name
from app.services.result_documents.languages import HOME, DocumentLanguage, Text, localized, minute
from app.services.tests.papers import FrozenPaper
from app.services.unit_of_work import Reading

COLUMNS: Sequence[tuple[Text, Literal["left", "right"]]] = (
    (wording.QUESTION_NUMBER, "right"),
    (wording.ANSWER, "left"),
    (wording.CHANGES, "right"),
    (wording.TIME_SPENT, "right"),
    (wording.SAVED_AT, "right"),
)


@dataclass(frozen=True, slots=True)
class _Sat:
    """The sheet of a paper with the paper, which has the options."""

    shown: PaperResponses
    paper: FrozenPaper


async def response_document(
    reads: Reading, parts: Components, found: CandidateResponses, language: DocumentLanguage, now: datetime
) -> Document:
    """The sheets that somebody may read, as `exams.response_sheets` has found them."""
    sat = [_Sat(each, await parts.papers.get(reads, each.sheet.attempt.paper_id)) for each in found.papers]
    institute = await reads.result_documents.institute_name(found.exam.institute_id)
    content = _content(found, sat, institute, language, now)
    return Document("response-sheet", content, file_name("response-sheet", found.registration.roll_number))


def _content(
    found: CandidateResponses, sat: Sequence[_Sat], institute: str, language: DocumentLanguage, now: datetime
) -> ResponseContent:
    return ResponseContent(
        language="hi" if language == "hi" else "en",
        institute=institute,
        title=wording.RESPONSE_SHEET.line(language),
        subtitle=unique(localized(found.exam.title).lines(language)),
        facts=[
            PrintedFact(wording.NAME.lines(language), found.registration.name),
            PrintedFact(wording.ROLL_NUMBER.lines(language), found.registration.roll_number),
        ],
        columns=[Column(label.lines(language), side) for label, side in COLUMNS],
        parts=[_part(each, language) for each in sat],
        notes=wording.RESPONSES_ARE.lines(language),
        footer=wording.PRINTED_ON.line(language, minute=minute(now)),
    )


def _part(sat: _Sat, language: DocumentLanguage) -> ResponsePart:
    sheet, attempt = sat.shown.sheet, sat.shown.sheet.attempt
    times = [
        PrintedFact(wording.STARTED.lines(language), shown_moment(attempt.started_at)),
        PrintedFact(wording.PAPER_VERSION.lines(language), str(sheet.paper_version)),
        PrintedFact(wording.ANSWERED.lines(language), f"{sheet.answered} / {len(sheet.entries)}"),
        PrintedFact(wording.DEVICE_TERMS.lines(language), str(attempt.lease)),
        PrintedFact(wording.ATTEMPT.lines(language), str(attempt.id)),
    ]
    if attempt.submitted_at is not None:
        times.insert(1, PrintedFact(wording.SUBMITTED.lines(language), shown_moment(attempt.submitted_at)))
    title = localized(sat.shown.paper.title).line(language)
    return ResponsePart(
        heading=f"{sat.shown.paper.code}: {title}",
        facts=times,
        rows=[
            [
                str(entry.number),
                shown_answer(entry.answer, sat.paper.questions[entry.question_id].options),
                str(entry.changes),
                f"{entry.time_spent_ms // 60_000}:{entry.time_spent_ms // 1000 % 60:02}",
                f"{entry.saved_at.astimezone(HOME):%H:%M:%S}" if entry.saved_at else wording.NONE,
            ]
            for entry in sheet.entries
        ],
    )


def shown_moment(moment: datetime) -> str:
    """A time without words, for a narrow column."""
    return f"{moment.astimezone(HOME):%Y-%m-%d %H:%M:%S} IST"


def shown_answer(answer: Any, options: Sequence[str]) -> str:
    """An answer with the letters of the options in the paper's order."""
    labels = dict(zip(options, ascii_uppercase, strict=False))
    if answer is None:
        return wording.NONE
    if isinstance(answer, Mapping):
        return ", ".join(f"{left}-{right}" for left, right in answer.items())
    if isinstance(answer, list):
        return ", ".join(labels.get(each, str(each)) for each in answer)
    return str(answer)
