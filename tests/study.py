"""Study of the tests: sittings that were begun, answered, handed in and graded, through the services."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from app.models import Attempt
from app.services import attempts
from app.services.components import Components
from app.services.unit_of_work import UnitOfWork
from app.services.users import Principal
from tests.content import Made
from tests.sittings import ref_of, response, sit, target_of

SITTING = timedelta(minutes=5)


async def study(
    uow: UnitOfWork,
    parts: Components,
    candidate: Principal,
    made: Made,
    answers: Mapping[int, Any],
    now: datetime,
    *,
    time_spent_ms: int = 0,
) -> Attempt:
    """A graded attempt, begun `now`: the questions at these places answered, each in this time."""
    attempt = await sit(uow, parts, made, now, candidate)
    if answers:
        sent = [response(made, at, given, time_spent_ms=time_spent_ms) for at, given in answers.items()]
        await attempts.save(uow, parts, target_of(attempt), sent, now)
    return await attempts.submit(uow, parts, ref_of(attempt), now + SITTING)
