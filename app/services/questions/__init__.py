"""The question bank: questions written one by one, or imported from a sheet."""

from app.services.questions.bank import Place, create, find, page, retire, revise, versions
from app.services.questions.content import Content
from app.services.questions.imports import ImportReport, import_questions
from app.services.questions.rows import EmptyKey, RowError

__all__ = [
    "Content",
    "EmptyKey",
    "ImportReport",
    "Place",
    "RowError",
    "create",
    "find",
    "import_questions",
    "page",
    "retire",
    "revise",
    "versions",
]
