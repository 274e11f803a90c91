"""The question bank: questions written one by one, imported from a sheet and exported to one."""

from app.services.questions.bank import (
    Place,
    QuestionUpdate,
    Revised,
    Shown,
    create,
    find,
    page,
    retire,
    revise,
    versions,
)
from app.services.questions.content import Content
from app.services.questions.exports import Export, export
from app.services.questions.history import Change, compare
from app.services.questions.images import ImagesZip
from app.services.questions.imports import import_questions
from app.services.questions.item_exports import ItemExport, export_items
from app.services.questions.item_files import FileKind, FileOptions
from app.services.questions.reading import ImportStage
from app.services.questions.rows import EmptyKey
from app.services.questions.selecting import select, with_external_ids
from app.services.questions.similarity import Duplicate, duplicates
from app.services.questions.syllabus import subject_named
from app.services.questions.templates import TemplateLanguage, template

__all__ = [
    "Change",
    "Content",
    "Duplicate",
    "EmptyKey",
    "Export",
    "FileKind",
    "FileOptions",
    "ImagesZip",
    "ImportStage",
    "ItemExport",
    "Place",
    "QuestionUpdate",
    "Revised",
    "Shown",
    "TemplateLanguage",
    "compare",
    "create",
    "duplicates",
    "export",
    "export_items",
    "find",
    "import_questions",
    "page",
    "retire",
    "revise",
    "select",
    "subject_named",
    "template",
    "versions",
    "with_external_ids",
]
