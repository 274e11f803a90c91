"""Builders of objections to keys, as rows."""

from typing import Any
from uuid import UUID

from app.core.ids import uuid7
from app.models import Objection, ObjectionCluster
from app.services.objections.claims import digest
from app.services.unit_of_work import UnitOfWork


async def add_objection(
    uow: UnitOfWork, test_id: UUID, question_id: UUID, user_id: UUID | None, **changes: Any
) -> Objection:
    """An objection to the first question of a test, in the cluster of its claimed key."""
    claimed = changes.pop("claimed_key", {"accepted": [["c"]]})
    number = changes.pop("number", 1)
    cluster: ObjectionCluster = await uow.objections.cluster_for(
        test_id, question_id, number, digest(claimed), claimed
    )
    columns: dict[str, Any] = {"explanation": "The Act says so.", "sources": [{"title": "The Act"}]}
    objection = Objection(
        id=uuid7(), cluster_id=cluster.id, test_id=test_id, user_id=user_id, **(columns | changes)
    )
    await uow.objections.add(objection)
    return objection
