"""Answer sheets taken on paper: read from a file, matched with candidates, kept and graded."""

from app.services.exams.answer_sheets.importing import Progress, import_answer_sheets

__all__ = ["Progress", "import_answer_sheets"]
