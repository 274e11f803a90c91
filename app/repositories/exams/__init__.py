"""Exams: their calendar, who is registered, who sits in them, and what they have achieved."""

from app.repositories.exams.answer_sheets import Account, AnswerSheetRepository, PaperEvent
from app.repositories.exams.calendar import ExamRepository, ExamViewer
from app.repositories.exams.hall import Candidate, HallFilter, HallRepository
from app.repositories.exams.registrations import RegistrationRepository
from app.repositories.exams.results import ExamResultRepository, Scored

__all__ = [
    "Account",
    "AnswerSheetRepository",
    "Candidate",
    "ExamRepository",
    "ExamResultRepository",
    "ExamViewer",
    "HallFilter",
    "HallRepository",
    "PaperEvent",
    "RegistrationRepository",
    "Scored",
]
