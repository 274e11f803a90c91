"""Answer sheets taken on paper: read from a file, matched with candidates, kept and graded."""

from app.services.exams.answer_sheets.importing import import_answer_sheets
from app.services.exams.answer_sheets.options import FileOptions, file_options, mapping_from
from app.services.exams.answer_sheets.placeholders import PaperDraft, hold_on_paper

__all__ = [
    "FileOptions",
    "PaperDraft",
    "file_options",
    "hold_on_paper",
    "import_answer_sheets",
    "mapping_from",
]
