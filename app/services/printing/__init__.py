"""Prints papers, solutions and results as PDF. All content is passed in; only fonts are read from disk."""

from app.services.printing.composing import Manuscript, figure_name, paper_sheet, solutions_sheet
from app.services.printing.sheets import PrintLanguage, Sheet
from app.services.printing.typesetting import print_pdf, typeset

__all__ = [
    "Manuscript",
    "PrintLanguage",
    "Sheet",
    "figure_name",
    "paper_sheet",
    "print_pdf",
    "solutions_sheet",
    "typeset",
]
