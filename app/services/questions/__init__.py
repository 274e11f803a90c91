"""The question bank: questions written one by one, imported from a sheet and exported to one."""

from app.services.questions.bank import Place, Shown, create, find, page, retire, revise, versions
from app.services.questions.content import Content
from app.services.questions.exports import Export, SheetFormat, export
from app.services.questions.history import Change, compare
from app.services.questions.images import ImagesZip
from app.services.questions.imports import import_questions
from app.services.questions.progress import Progress, Stage
from app.services.questions.reports import ImportReport, RowWarning, first_errors
from app.services.questions.rows import EmptyKey, RowError
from app.services.questions.similarity import Duplicate, duplicates
from app.services.questions.syllabus import subject_named
from app.services.questions.templates import template

__all__ = [
    "Change",
    "Content",
    "Duplicate",
    "EmptyKey",
    "Export",
    "ImagesZip",
    "ImportReport",
    "Place",
    "Progress",
    "RowError",
    "RowWarning",
    "SheetFormat",
    "Shown",
    "Stage",
    "compare",
    "create",
    "duplicates",
    "export",
    "find",
    "first_errors",
    "import_questions",
    "page",
    "retire",
    "revise",
    "subject_named",
    "template",
    "versions",
]
