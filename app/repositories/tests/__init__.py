"""Tests, their drafts and their frozen papers."""

from app.repositories.tests.keys import KeptVersion, KeyRepository
from app.repositories.tests.tests import (
    Listed,
    TestFilter,
    TestRepository,
    Viewer,
    may_access,
)

__all__ = [
    "KeptVersion",
    "KeyRepository",
    "Listed",
    "TestFilter",
    "TestRepository",
    "Viewer",
    "may_access",
]
