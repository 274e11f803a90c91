"""Tests, their drafts and their frozen papers."""

from app.repositories.tests.catalog import (
    BestScore,
    CatalogRepository,
    ListedTest,
    OwnAttempts,
    TestFilter,
    TestSort,
)
from app.repositories.tests.keys import KeptVersion, KeyRepository
from app.repositories.tests.popularity import PopularityRepository, ranked_candidates
from app.repositories.tests.tests import (
    TestRepository,
    Viewer,
    is_open,
    may_access,
)

__all__ = [
    "BestScore",
    "CatalogRepository",
    "KeptVersion",
    "KeyRepository",
    "ListedTest",
    "OwnAttempts",
    "PopularityRepository",
    "TestFilter",
    "TestRepository",
    "TestSort",
    "Viewer",
    "is_open",
    "may_access",
    "ranked_candidates",
]
