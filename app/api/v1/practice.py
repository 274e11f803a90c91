"""Practice tests of one's own over HTTP."""

from app.api.deps import CurrentUser, Now
from app.api.idempotency import OnceUow
from app.api.problems import problems
from app.api.routing import PrefixRouter
from app.core.errors import NotFound, NotPossible, NotPublishable
from app.schemas.analytics.practice import PracticeIn
from app.schemas.test_catalog import TestOut
from app.services import tests
from app.services.analytics import practice

router = PrefixRouter(prefix="/practice", tags=["analytics"])


@router.post("", status_code=201, responses=problems(NotFound, NotPossible, NotPublishable))
async def create_practice(body: PracticeIn, user: CurrentUser, uow: OnceUow, now: Now) -> TestOut:
    """Create a practice test that only you can see. Start it as any other test, within 30 days.

    It has questions of tests that you may take, or have taken and may review. Questions that are due for
    revision come first, then those of weak chapters, then those that you have not seen lately. You can have
    20 practice tests that you have not started.
    """
    test = await practice.create(uow, user, body.request(), now)
    return TestOut.of(await tests.find(uow, user, test.id, now))
