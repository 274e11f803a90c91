"""Leaderboards over HTTP."""

from typing import Annotated
from uuid import UUID

from fastapi import Query

from app.api.deps import CurrentUser, Now, Parts, ReadsWithLag
from app.api.problems import problems
from app.api.routing import PrefixRouter
from app.core.errors import Invalid, NotAvailable, NotFound, ResultsNotReleased
from app.schemas.analytics.leaderboards import LeaderboardOut
from app.schemas.users import Category
from app.services.analytics import leaderboards
from app.services.analytics.leaderboards import PLACES, LeaderboardRequest

router = PrefixRouter(prefix="/analytics", tags=["analytics"])


@router.get("/leaderboard", responses=problems(Invalid, NotFound, NotAvailable, ResultsNotReleased))
async def get_leaderboard(
    user: CurrentUser,
    reads: ReadsWithLag,
    parts: Parts,
    now: Now,
    test_id: Annotated[UUID | None, Query(description="The live ranking of this test")] = None,
    exam_id: Annotated[UUID | None, Query(description="The official ranking of this exam")] = None,
    category: Annotated[
        Category | None,
        Query(
            description="Ranks within this category: at registration for an exam, of the profile for a test"
        ),
    ] = None,
    pwbd: Annotated[
        bool,
        Query(description="Ranks among the candidates of an exam with a benchmark disability"),
    ] = False,
    around_me: Annotated[
        bool, Query(description="The places above and below yours instead of the best ones")
    ] = False,
    limit: Annotated[
        int, Query(ge=1, le=100, description="How many places; with `around_me`, on each side")
    ] = PLACES,
) -> LeaderboardOut:
    """Who has which place. Give `test_id` or `exam_id`.

    People appear under an alias, which is the same on each call and another one on each board. Who sets
    `show_name` to true in the preferences of the profile appears by name. `me` is your own place, wherever it
    is. Within a category at a test, ranks can be a minute old.
    """
    if pwbd and category is not None:
        raise Invalid.field("pwbd", "Give either category or pwbd.")
    if pwbd and test_id is not None:
        raise Invalid.field("pwbd", "A test has no ranks by disability. Leave pwbd out.")
    wanted = LeaderboardRequest(limit, category, around_me, pwbd)
    if test_id is not None and exam_id is None:
        return LeaderboardOut.of(await leaderboards.of_test(reads, parts, user, test_id, wanted, now))
    if exam_id is not None and test_id is None:
        return LeaderboardOut.of(await leaderboards.of_exam(reads, parts, user, exam_id, wanted))
    raise Invalid.field("test_id", "Give either test_id or exam_id.")
