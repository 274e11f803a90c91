"""Rosters: files of an institute's candidates. They get accounts, enrolments and places in an exam.

docs/decisions/0062 has the rules.
"""

from app.services.rosters.importing import RosterOptions, import_roster
from app.services.rosters.invitations import BATCH, password_link, send_due_invitations

__all__ = ["BATCH", "RosterOptions", "import_roster", "password_link", "send_due_invitations"]
