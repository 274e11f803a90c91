"""Signed response sheets as PDF: the answers for people, and the signed file as an attachment."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from app.core.signed_files import ATTACHED
from app.models import name_on_documents
from app.services.printing.results import Column, PrintedFact, ResponseContent, ResponsePart, Verification
from app.services.proof.sheets import SignedSheet
from app.services.result_documents import Document, DocumentLanguage, wording
from app.services.result_documents.exam_sheets import unique
from app.services.result_documents.languages import localized, minute
from app.services.result_documents.response_pages import COLUMNS, shown_answer, shown_moment


def sheet_document(signed: SignedSheet, language: DocumentLanguage, now: datetime) -> Document:
    """The document of a signed sheet. The file that it attaches is what the JSON answer has."""
    sheet = signed.sheet
    content = ResponseContent(
        language="hi" if language == "hi" else "en",
        institute=name_on_documents(sheet["institute"]),
        title=wording.RESPONSE_SHEET.line(language),
        subtitle=unique(localized((sheet["exam"] or sheet["test"])["title"]).lines(language)),
        facts=_candidate(sheet, language),
        columns=[Column(label.lines(language), side) for label, side in COLUMNS],
        parts=[_part(signed, language)],
        notes=wording.RESPONSES_ARE.lines(language),
        footer=wording.PRINTED_ON.line(language, minute=minute(now)),
        verification=_verification(signed, language),
        attached=ATTACHED,
    )
    name = f"response-sheet-{sheet['attempt']['id']}.pdf"
    return Document("response-sheet", content, name, {ATTACHED: signed.file})


def _candidate(sheet: Mapping[str, Any], language: DocumentLanguage) -> list[PrintedFact]:
    candidate = sheet["candidate"]
    facts = [PrintedFact(wording.NAME.lines(language), candidate["name"] or wording.NONE)]
    if candidate["roll_number"] is not None:
        facts.append(PrintedFact(wording.ROLL_NUMBER.lines(language), candidate["roll_number"]))
    return facts


def _part(signed: SignedSheet, language: DocumentLanguage) -> ResponsePart:
    sheet, attempt, questions = signed.sheet, signed.sheet["attempt"], signed.sheet["questions"]
    answered = sum(each["answer"] is not None for each in questions)
    facts = [
        PrintedFact(wording.STARTED.lines(language), _shown(attempt["started_at"])),
        PrintedFact(wording.SUBMITTED.lines(language), _shown(attempt["submitted_at"])),
        PrintedFact(wording.PAPER_VERSION.lines(language), str(sheet["paper"]["version"])),
        PrintedFact(wording.ANSWERED.lines(language), f"{answered} / {len(questions)}"),
        PrintedFact(wording.DEVICE_TERMS.lines(language), str(attempt["leases"])),
        PrintedFact(wording.ATTEMPT.lines(language), attempt["id"]),
    ]
    return ResponsePart(_heading(sheet, language), facts, [_row(signed, each) for each in questions])


def _heading(sheet: Mapping[str, Any], language: DocumentLanguage) -> str:
    if sheet["exam"] is None:
        return localized(sheet["test"]["title"]).line(language)
    paper = sheet["exam"]["paper"]
    return f"{paper['code']}: {localized(paper['title']).line(language)}"


def _row(signed: SignedSheet, question: Mapping[str, Any]) -> list[str]:
    milliseconds, saved_at = question["time_spent_ms"], question["received_at"]
    return [
        str(question["number"]),
        shown_answer(question["answer"], signed.paper.questions[UUID(question["question_id"])].options),
        str(question["changes"]),
        f"{milliseconds // 60_000}:{milliseconds // 1000 % 60:02}",
        _shown(saved_at).split()[1] if saved_at else wording.NONE,
    ]


def _verification(signed: SignedSheet, language: DocumentLanguage) -> Verification:
    sheet = signed.sheet
    notes = wording.SIGNED_IS.lines(language)
    if sheet["attempt"]["status"] == "void":
        notes = [*wording.VOID.lines(language), *notes]
    return Verification(
        heading=wording.SIGNATURE.line(language),
        facts=[
            PrintedFact(wording.AS_OF.lines(language), _shown(sheet["as_of"])),
            PrintedFact(wording.SIGNING_KEY.lines(language), signed.signature["key_id"]),
            PrintedFact(wording.LOG_DIGEST.lines(language), sheet["log_digest"]),
        ],
        note=notes,
    )


def _shown(at: str | None) -> str:
    return shown_moment(datetime.fromisoformat(at)) if at is not None else wording.NONE
