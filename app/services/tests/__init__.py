"""Tests: drafts, publication as frozen papers, lists, previews and printouts."""

from app.services.tests.applying import (
    AppliedTest,
    apply_draft,
    is_unpublished,
    lock_known_tests,
    lock_tests,
    named,
    with_reference,
)
from app.services.tests.catalog import find, page, suggestions, viewer
from app.services.tests.cloning import clone
from app.services.tests.consents import consent, consents, withdraw_consent
from app.services.tests.drafts import SectionDraft, TestDraft, TestUpdate, archive, change, create
from app.services.tests.from_sheets import check_title, draft_of_sheet
from app.services.tests.papers import FrozenPaper, PaperStore
from app.services.tests.popularity import refresh_popularity
from app.services.tests.previewing import Preview, key_warnings, pending_draft, preview, with_formulas
from app.services.tests.printouts import Printout, PrintPart, pdf, printout
from app.services.tests.publishing import PublishedPaper, freeze, publish

__all__ = [
    "AppliedTest",
    "FrozenPaper",
    "PaperStore",
    "Preview",
    "PrintPart",
    "Printout",
    "PublishedPaper",
    "SectionDraft",
    "TestDraft",
    "TestUpdate",
    "apply_draft",
    "archive",
    "change",
    "check_title",
    "clone",
    "consent",
    "consents",
    "create",
    "draft_of_sheet",
    "find",
    "freeze",
    "is_unpublished",
    "key_warnings",
    "lock_known_tests",
    "lock_tests",
    "named",
    "page",
    "pdf",
    "pending_draft",
    "preview",
    "printout",
    "publish",
    "refresh_popularity",
    "suggestions",
    "viewer",
    "with_formulas",
    "with_reference",
    "withdraw_consent",
]
