"""How many ranked candidates a test has: counted now, and as of the last count for the order of lists."""

from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.dialects.postgresql import insert

from app.models import KeyVersion, Paper, ScoreCount, Test, TestPopularity
from app.repositories.base import Repository


def ranked_candidates() -> ColumnElement[int]:
    """The number of candidates in the ranking of a row of `tests`: that of its published version."""
    cohort = published_cohort().correlate(Test).scalar_subquery()
    return (
        select(func.coalesce(func.sum(ScoreCount.candidates), 0))
        .where(ScoreCount.cohort_id == cohort)
        .correlate(Test)
        .scalar_subquery()
    )


def published_cohort() -> Select[UUID]:
    """Whose attempts the ranking of a row of `tests` has: the cohort of its published version."""
    return (
        select(KeyVersion.cohort_id)
        .join(Paper, Paper.id == KeyVersion.paper_id)
        .where(Paper.test_id == Test.id, Paper.version == Test.paper_version)
        .order_by(KeyVersion.number.desc())
        .limit(1)
    )


class PopularityRepository(Repository):
    """The stored numbers, by which lists are ordered."""

    async def refresh(self) -> None:
        """Count the candidates of all published tests, and store the numbers that have changed."""
        counted = (
            select(Test.id, ranked_candidates())
            .where(Test.paper_version.is_not(None), ~Test.is_personal)
            .order_by(Test.id)  # Two workers that insert in one order do not wait for each other in a circle.
        )
        new = insert(TestPopularity).from_select(["test_id", "participants"], counted)
        participants = new.excluded.participants
        statement = new.on_conflict_do_update(
            index_elements=[TestPopularity.test_id],
            set_={"participants": participants},
            where=TestPopularity.participants.is_distinct_from(participants),
        )
        await self._session.execute(statement)
