"""What a candidate should do next, over HTTP."""

from uuid import UUID

from fastapi import Depends

from app.api.deps import CurrentUser, Now, Paging, ReadsWithLag, Uow, takes_nothing
from app.api.problems import problems
from app.api.routing import PrefixRouter
from app.core.errors import NotFound
from app.repositories.base import page_of
from app.schemas.analytics.recommendations import RecommendationOut, RecommendationsOut
from app.services.analytics import recommendations

router = PrefixRouter(prefix="/analytics/recommendations", tags=["analytics"])


@router.get("")
async def list_recommendations(
    user: CurrentUser, reads: ReadsWithLag, now: Now, paging: Paging
) -> RecommendationsOut:
    """What to do next, the largest expected gain in marks per minute first: at most ten actions.

    Based on your visible results, the questions that you missed or were unsure of, and the tests that you may
    take. Users without results get first steps.
    """
    found = await recommendations.recommendations(reads, user, now)
    page = page_of(found, lambda each: each.id, paging)
    items = [RecommendationOut.of(each) for each in page.items]
    return RecommendationsOut(items=items, next_cursor=page.next_cursor)


@router.post(
    "/{recommendation_id}/dismiss",
    status_code=204,
    dependencies=[Depends(takes_nothing)],
    responses=problems(NotFound),
)
async def dismiss_recommendation(recommendation_id: UUID, user: CurrentUser, uow: Uow, now: Now) -> None:
    """Leave a recommendation out until there is something new. Idempotent.

    It comes back after 20 more answers in its subject or chapter, after 100 more answers (technique), with a
    new version of the test, or on the next day (revision).
    """
    await recommendations.dismiss(uow, user, recommendation_id, now)
