"""The dress rehearsal of a live exam: everything that happens on the day, and a reconciliation at its end."""

from rehearsal.exam.options import ExamOptions
from rehearsal.exam.run import ExamRehearsal

__all__ = ["ExamOptions", "ExamRehearsal"]
