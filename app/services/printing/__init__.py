"""Printing: papers and their solutions as PDF. Pure: what to print is told, nothing but fonts is read."""

from app.services.printing.composing import figure_name, paper_sheet, solutions_sheet
from app.services.printing.sheets import PrintLanguage, Sheet
from app.services.printing.typesetting import typeset

__all__ = ["PrintLanguage", "Sheet", "figure_name", "paper_sheet", "solutions_sheet", "typeset"]
