"""Tests, their drafts and their frozen papers."""

from app.repositories.tests.keys import KeptVersion, KeyRepository
from app.repositories.tests.tests import (
    ListedTest,
    TestFilter,
    TestRepository,
    Viewer,
    may_access,
)

__all__ = [
    "KeptVersion",
    "KeyRepository",
    "ListedTest",
    "TestFilter",
    "TestRepository",
    "Viewer",
    "may_access",
]
