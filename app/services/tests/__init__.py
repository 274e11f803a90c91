"""Tests: composed as drafts, published as frozen papers, listed for those who may take them."""

from app.services.tests.catalog import find, page, viewer
from app.services.tests.drafts import SectionDraft, TestDraft, archive, change, create
from app.services.tests.papers import FrozenPaper, PaperStore
from app.services.tests.publishing import Published, publish

__all__ = [
    "FrozenPaper",
    "PaperStore",
    "Published",
    "SectionDraft",
    "TestDraft",
    "archive",
    "change",
    "create",
    "find",
    "page",
    "publish",
    "viewer",
]
