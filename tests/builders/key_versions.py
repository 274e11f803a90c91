"""Versions of keys."""

from copy import deepcopy
from typing import Any
from uuid import UUID

from app.models import KeyVersion
from app.services.tests.cohorts import add_key_version
from app.services.unit_of_work import UnitOfWork


async def correct(uow: UnitOfWork, paper_id: UUID, question_id: UUID, accepted: str) -> KeyVersion:
    """Add a version of the paper's key in which this option is right."""
    key: dict[str, Any] = deepcopy((await uow.keys.current(paper_id)).key)
    key[str(question_id)]["key"] = {"accepted": [[accepted]]}
    return await add_key_version(uow, paper_id, key, reason="a misprint", created_by=None)
