"""Certificates of an exam, and who gets one."""

from datetime import datetime

from app.models import ExamResult
from app.repositories.exams import IssuedResult
from app.services.printing.results import CertificateContent, PrintedFact
from app.services.result_documents import wording
from app.services.result_documents.exam_sheets import ReleasedExam, unique
from app.services.result_documents.languages import DocumentLanguage, day, localized
from app.services.result_documents.verification import exam_digest

TOOK_PART = ("ranked", "not_qualified", "incomplete")
"""Outcomes of those who sat the exam as candidates, and whose attempts count."""


def gets_certificate(result: ExamResult, setting: str) -> bool:
    """Whether a candidate gets a certificate, by the setting of the exam."""
    if setting == "all":
        return result.outcome in TOOK_PART
    if setting == "qualified":
        return result.outcome in TOOK_PART and result.qualified
    return setting == "ranked" and result.outcome == "ranked"


def certificate(
    released: ReleasedExam, issued: IssuedResult, language: DocumentLanguage, now: datetime
) -> CertificateContent:
    """The certificate of a candidate who gets one. It says the most that the result supports."""
    result, exam, release = issued.result, released.exam, released.release
    if result.rank is not None:
        title = wording.CERTIFICATE_OF_RANK
        statement = wording.HAS_RANK.lines(language, rank=result.rank, participants=release.participants)
    elif result.qualified:
        title, statement = wording.CERTIFICATE_OF_QUALIFYING, wording.HAS_QUALIFIED.lines(language)
    else:
        title, statement = wording.CERTIFICATE_OF_PARTICIPATION, wording.TOOK_PART.lines(language)
    roll_number = f"{wording.ROLL_NUMBER.line(language)}: {result.roll_number}"
    held_on = day(exam.opens_at).line(language)
    return CertificateContent(
        language="hi" if language == "hi" else "en",
        institute=released.institute,
        title=title.lines(language),
        opening=wording.CERTIFIES.lines(language),
        name=issued.registration.name,
        statement=statement,
        exam=unique(localized(exam.title).lines(language)),
        details=f"{held_on}  ·  {roll_number}",
        date=PrintedFact(wording.DATE.lines(language), day(now).line(language)),
        signatory=wording.SIGNATORY.lines(language),
        verification="  ·  ".join(
            (
                f"{wording.DOCUMENT.line(language)} {result.registration_id}",
                f"{wording.VERSION.line(language)} {result.version}",
                f"{wording.DIGEST.line(language)} {exam_digest(result)}",
            )
        ),
    )
