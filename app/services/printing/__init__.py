"""Prints papers, solutions and results as PDF. All content is passed in; only fonts are read from disk."""

from app.services.printing.characters import unprintable
from app.services.printing.composing import Manuscript, figure_name, paper_sheet, solutions_sheet
from app.services.printing.markdown import may_have_formulas, unreadable_formulas
from app.services.printing.sheets import PrintLanguage, Sheet
from app.services.printing.typesetting import Template, print_pdf, typeset, typeset_each

__all__ = [
    "Manuscript",
    "PrintLanguage",
    "Sheet",
    "Template",
    "figure_name",
    "may_have_formulas",
    "paper_sheet",
    "print_pdf",
    "solutions_sheet",
    "typeset",
    "typeset_each",
    "unprintable",
    "unreadable_formulas",
]
