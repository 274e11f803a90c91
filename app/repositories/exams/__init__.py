"""Exams: papers, registrations, attempts and results."""

from app.repositories.exams.answer_sheets import Account, AnswerSheetRepository, PaperEvent
from app.repositories.exams.exam_attempts import Candidate, ExamAttemptFilter, ExamAttemptRepository
from app.repositories.exams.exams import ExamFilter, ExamRepository, ExamViewer, PaperContent
from app.repositories.exams.exports import ExamExportRepository, ExportedCandidate
from app.repositories.exams.marked_sheets import MarkedSheetRepository, StoredExamResult, SubjectPart
from app.repositories.exams.registrations import RegistrationRepository
from app.repositories.exams.result_documents import (
    IssuedResult,
    ResultDocumentRepository,
    WantedResults,
)
from app.repositories.exams.result_files import ResultFileRepository
from app.repositories.exams.results import (
    ExamResultRepository,
    MeritRow,
    OwnRelease,
    RegisteredCandidate,
    Scored,
)

__all__ = [
    "Account",
    "AnswerSheetRepository",
    "Candidate",
    "ExamAttemptFilter",
    "ExamAttemptRepository",
    "ExamExportRepository",
    "ExamFilter",
    "ExamRepository",
    "ExamResultRepository",
    "ExamViewer",
    "ExportedCandidate",
    "IssuedResult",
    "MarkedSheetRepository",
    "MeritRow",
    "OwnRelease",
    "PaperContent",
    "PaperEvent",
    "RegisteredCandidate",
    "RegistrationRepository",
    "ResultDocumentRepository",
    "ResultFileRepository",
    "Scored",
    "StoredExamResult",
    "SubjectPart",
    "WantedResults",
]
