"""Printouts of a paper or of its solutions as PDF."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

import orjson

from app.core.errors import Forbidden, Invalid, NotAvailable, NotPublishable
from app.core.process_pool import ProcessPool
from app.core.storage import Storage
from app.engine.scoring import key_of
from app.models import Media, Test
from app.sentences import Sentence
from app.services import audit, embargo
from app.services.audit import AuditSubject
from app.services.printing import PrintJob, PrintLanguage, figure_name, print_pdf
from app.services.questions import media
from app.services.questions.content import reading_question
from app.services.tests.compiling import CompiledPaper, compile_paper, gather, next_version
from app.services.tests.print_obstacles import SHORTEN, formula_obstacles, print_obstacles
from app.services.tests.readiness import obstacles
from app.services.unit_of_work import Reading
from app.services.users import Principal

PrintPart = Literal["paper", "solutions"]
PrintVersion = int | Literal["draft"]

_NOT_AS_TYPED = Sentence("The paper cannot be printed as it was typed.")


@dataclass(frozen=True, slots=True)
class Printout:
    """What to print, read from the database. The images are not yet read from the storage."""

    job: PrintJob
    images: Sequence[Media]
    file_name: str


async def printout(
    reads: Reading,
    author: Principal,
    test_id: UUID,
    part: PrintPart,
    language: PrintLanguage,
    version: PrintVersion | None,
) -> Printout:
    """The paper or its solutions. Raises Forbidden for solutions whose key is withheld from the author."""
    test = await reads.tests.draft(author.institute_id, test_id)
    await embargo.check_visible(reads, author, test_id)
    compiled = await _compiled(reads, author, test, version)
    paper = compiled.paper
    if language not in paper.languages:
        raise Invalid.field(
            "language",
            Sentence("The paper is in these languages: {languages}.", languages=", ".join(paper.languages)),
        )
    _check_readable(compiled)
    is_draft = version == "draft"
    if part == "solutions":
        question_ids = [UUID(question_id) for question_id in compiled.key]
        await _check_may_know(reads, author, question_ids)
        explanations = {question_id: entry["explanation"] for question_id, entry in compiled.key.items()}
        _check_printable(paper.document, explanations, language)
        held = await audit.held_among(reads, question_ids)
        audit.record_key_read(reads, author, held, where="print")
        audit.record(reads, author, "print_solutions", AuditSubject("test", test.id), version=version)
        images: Sequence[Media] = []
    else:
        _check_printable(paper.document, {}, language)
        if await reads.embargo.is_placed(test.id):
            audit.record(reads, author, "read_paper", AuditSubject("test", test.id), where="print")
        images = await _images(reads, author, orjson.loads(paper.document))
    state = "draft" if is_draft else f"v{paper.version}"
    key = compiled.key if part == "solutions" else None
    job = PrintJob(paper.document, key, language, is_draft)
    return Printout(job, images, f"{part}-{state}-{language}.pdf")


async def pdf(
    printout: Printout, storage: Storage, files: ProcessPool, author: Principal, now: datetime
) -> bytes:
    """The printout, typeset in a child process. Raises Invalid for formulas, TooComplex, Unavailable."""
    job = printout.job
    key = (job.answer_key or {}).items()
    explanations = {question_id: entry["explanation"] for question_id, entry in key}
    document = orjson.loads(job.document)
    if found := await formula_obstacles(document, explanations, [job.language], files, author):
        raise Invalid(_NOT_AS_TYPED, errors=found)
    images = {
        figure_name(str(image.id), image.content_type): await _content(storage, image)
        for image in printout.images
    }
    return await files.run(print_pdf, job, images, now, caller=author.id, advice=SHORTEN)


def _check_readable(compiled: CompiledPaper) -> None:
    """Raise QuestionUnreadable here: an error of the child process would not say which question it is."""
    for entry in orjson.loads(compiled.paper.document)["questions"]:
        with reading_question(UUID(entry["id"])):
            key_of(entry["type"], compiled.key[entry["id"]]["key"])


def _check_printable(
    document: bytes, explanations: Mapping[str, Mapping[str, str] | None], language: PrintLanguage
) -> None:
    """Raise Invalid for characters that no font has: a box on paper is another question than was typed."""
    if found := print_obstacles(orjson.loads(document), explanations, [language]):
        raise Invalid(_NOT_AS_TYPED, errors=found)


async def _compiled(
    reads: Reading, author: Principal, test: Test, version: PrintVersion | None
) -> CompiledPaper:
    """The paper that the draft would become, or a published one with its current key."""
    if version == "draft":
        material = await gather(reads, test)
        withheld = await embargo.withheld(reads, author, list(material.bank))
        if found := obstacles(material, withheld):
            raise NotPublishable("The draft cannot be printed yet.", errors=found)
        return compile_paper(material, next_version(test))
    version = version or test.paper_version
    if version is None:
        raise NotAvailable("The test was never published; its draft is printed with version=draft.")
    paper = await reads.tests.paper_version(test, version)
    return CompiledPaper(paper, (await reads.keys.current(paper.id)).key)


async def _check_may_know(reads: Reading, author: Principal, question_ids: Sequence[UUID]) -> None:
    if await embargo.withheld(reads, author, question_ids):
        raise Forbidden(
            "Questions of this paper are in an exam that is not released; its test's author or an admin"
            " can print the solutions."
        )


async def _images(
    reads: Reading, author: Principal, document: dict[str, list[dict[str, list[dict[str, str]]]]]
) -> Sequence[Media]:
    shown = [
        image["id"] for entry in (*document["passages"], *document["questions"]) for image in entry["media"]
    ]
    return list((await reads.media.existing(author.institute_id, [UUID(each) for each in shown])).values())


async def _content(storage: Storage, image: Media) -> bytes:
    return b"".join([piece async for piece in await storage.read(media.key_of(image))])
