"""Asking for a file of many documents, its status, and its download."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass
from datetime import datetime
from uuid import UUID

from app.core.errors import Conflict, Invalid, NotFound, NotPossible, SessionRevoked
from app.core.file_lifetimes import expiry_after_download, expiry_while_waiting
from app.core.ids import uuid7
from app.models import Exam, ResultFile, ResultFileKind
from app.repositories.exams import WantedResults
from app.sentences import Sentence
from app.services.components import Components
from app.services.exams.audit import record
from app.services.exams.results import released_exam
from app.services.result_documents.batches import wanted_by_setting
from app.services.result_documents.characters import check_printable
from app.services.result_documents.files import key_of
from app.services.result_documents.languages import DocumentLanguage
from app.services.unit_of_work import Reading, UnitOfWork, unit_of_work
from app.services.users import Principal

MAX_DOCUMENTS = 10_000
"""More would take too long to join into one file, and too long to download."""

_TOO_MANY = (
    "These are {count} documents; a file has at most {most}. Ask for one category or for roll numbers."
)


@dataclass(frozen=True, slots=True)
class ResultFileView:
    """A file, and the version of the results that candidates see now."""

    file: ResultFile
    current_version: int


@dataclass(frozen=True, slots=True)
class ReadyFile:
    """The content of a file."""

    pieces: AsyncIterator[bytes]
    size_bytes: int
    name: str


async def request_file(
    uow: UnitOfWork,
    staff: Principal,
    exam_id: UUID,
    kind: ResultFileKind,
    language: DocumentLanguage,
    wanted: WantedResults,
    now: datetime,
) -> ResultFileView:
    """Ask for a file with the current results. An equal one that waits or is not downloaded is returned.

    Raises ResultsNotReleased; NotPossible if nobody gets such a document, or a name on
    certificates cannot be printed; Invalid for roll numbers without a result and for too many documents.
    """
    exam = await released_exam(uow, staff, exam_id)
    version = exam.results_version or 1
    if not await uow.users.lock(staff.id):
        raise SessionRevoked
    await _check_roll_numbers(uow, exam, version, wanted)
    chosen = wanted_by_setting(kind, exam.certificates, wanted)
    file = ResultFile(
        id=uuid7(now),
        exam_id=exam.id,
        version=version,
        kind=kind,
        language=language,
        only=asdict(chosen),
        total=await count(uow, exam, version, kind, chosen),
        created_by=staff.author_id,
        created_at=now,
        expires_at=expiry_while_waiting(now),
    )
    if (same := await uow.result_files.same_as(file, now)) is not None:
        return ResultFileView(same, version)
    if kind == ResultFileKind.CERTIFICATES:
        await check_names(uow, exam, version, chosen)
    await uow.result_files.add(file)
    uow.jobs.add("make_result_file", file_id=str(file.id))
    record(uow, staff, "request_result_file", exam, kind=kind, version=version, documents=file.total)
    return ResultFileView(file, version)


async def find_file(
    reads: Reading, staff: Principal, exam_id: UUID, file_id: UUID, now: datetime
) -> ResultFileView:
    """A file of an exam, and how far it is made. Raises NotFound once it has expired."""
    exam = await released_exam(reads, staff, exam_id)
    file = await reads.result_files.find(exam.id, file_id, now)
    if file is None:
        raise NotFound("file")
    return ResultFileView(file, exam.results_version or 1)


async def open_file(
    parts: Components, staff: Principal, exam_id: UUID, file_id: UUID, now: datetime
) -> ReadyFile:
    """The content of a file. The first call begins the time in which it may be downloaded; each is audited.

    Raises Conflict while it is being made. If the storage does not answer, the time has not begun.
    """
    async with unit_of_work(parts.engine) as uow:
        exam = await released_exam(uow, staff, exam_id)
        file = await uow.result_files.find(exam.id, file_id, now)
        if file is None:
            raise NotFound("file")
        if file.ready_at is None or file.size_bytes is None:
            raise Conflict("The file is not ready yet. Ask for its status until it is.")
        pieces = await parts.media.read(key_of(file.id))
        await uow.result_files.begin_download(file.id, now, expiry_after_download(file.expires_at, now))
        record(uow, staff, "download_result_file", exam, kind=file.kind, documents=file.total)
        return ReadyFile(pieces, file.size_bytes, f"{file.kind.replace('_', '-')}-v{file.version}.zip")


async def count(reads: Reading, exam: Exam, version: int, kind: str, wanted: WantedResults) -> int:
    """How many documents a file would have. Raises NotPossible for none, and Invalid for too many."""
    if kind == ResultFileKind.CERTIFICATES and exam.certificates == "none":
        raise NotPossible("Nobody gets a certificate of this exam. Set `certificates` of the exam first.")
    found = await reads.result_documents.count(exam.id, version, wanted)
    if found == 0:
        raise NotPossible("None of these candidates gets such a document.")
    if found > MAX_DOCUMENTS:
        raise Invalid.field("only", Sentence(_TOO_MANY, count=found, most=MAX_DOCUMENTS))
    return found


async def check_names(reads: Reading, exam: Exam, version: int, wanted: WantedResults) -> None:
    """Raise NotPossible if a name on these documents has a character that no font has."""
    institute = await reads.result_documents.institute_name(exam.institute_id)
    names = await reads.result_documents.names(exam.id, version, wanted)
    await asyncio.to_thread(check_printable, [institute, *exam.title.values(), *names])


async def _check_roll_numbers(reads: Reading, exam: Exam, version: int, wanted: WantedResults) -> None:
    """Raise Invalid for the first roll number that has no result."""
    known = await reads.result_documents.known_roll_numbers(exam.id, version, wanted.roll_numbers)
    for number, roll_number in enumerate(wanted.roll_numbers):
        if roll_number not in known:
            raise Invalid.field(
                f"only.roll_numbers.{number}",
                Sentence("No candidate of this exam has the roll number {number}.", number=roll_number),
            )
