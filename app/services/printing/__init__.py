"""Prints papers, solutions and results as PDF. All content is passed in; only fonts are read from disk."""

from app.services.printing.characters import unprintable
from app.services.printing.composing import (
    PrintJob,
    figure_name,
    paper_document,
    printed_text,
    solutions_document,
)
from app.services.printing.documents import PrintedDocument, PrintLanguage
from app.services.printing.markdown import may_have_formulas, unreadable_formulas
from app.services.printing.typesetting import Template, print_pdf, typeset, typeset_each

__all__ = [
    "PrintJob",
    "PrintLanguage",
    "PrintedDocument",
    "Template",
    "figure_name",
    "may_have_formulas",
    "paper_document",
    "print_pdf",
    "printed_text",
    "solutions_document",
    "typeset",
    "typeset_each",
    "unprintable",
    "unreadable_formulas",
]
