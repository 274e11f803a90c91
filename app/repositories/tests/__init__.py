"""Tests, their drafts and their frozen papers."""

from app.repositories.tests.tests import (
    ListedTest,
    TestFilter,
    TestRepository,
    Viewer,
    may_access,
)

__all__ = [
    "ListedTest",
    "TestFilter",
    "TestRepository",
    "Viewer",
    "may_access",
]
