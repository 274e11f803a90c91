"""Which paper an attempt is of. It never changes, so each process keeps it in memory."""

from collections import OrderedDict
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine

from app.core.attempt_scope import AttemptRef
from app.services.unit_of_work import looking


class AttemptPapers:
    """The papers of attempts that this process has read. With it, a save of a login needs no query for them.

    Whose attempt it is can change, when an account is claimed or deleted: who uses the attempt checks that.
    """

    def __init__(self, capacity: int = 20_000) -> None:
        self._capacity = capacity
        self._papers: OrderedDict[AttemptRef, UUID] = OrderedDict()

    async def get(self, engine: AsyncEngine, attempt: AttemptRef) -> UUID:
        """The id of the paper. Raises NotFound if the attempt was not this person's when it was read."""
        paper_id = self._papers.get(attempt)
        if paper_id is None:
            async with looking(engine) as reads:
                paper_id = self._papers[attempt] = (await reads.attempts.find(attempt)).paper_id
            if len(self._papers) > self._capacity:
                self._papers.popitem(last=False)
        return paper_id
