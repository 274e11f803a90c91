"""The endpoint that creates practice tests."""

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
    """Create a practice test that only you can see. Start it like any other test, within 30 days.

    Its questions are those of tests that you have taken and may review, and of tests that you may take and
    review after submission, except full and sectional tests. Questions of an attempt in progress and withheld
    questions are left out. Without `adaptive`, questions that are due for revision are chosen first, then
    questions of weak chapters, then those that you have never seen or saw longest ago. With `adaptive`, they
    are chosen by your estimated ability. You can have at most 20 practice tests that are neither started nor
    expired.
    """
    test = await practice.create(uow, user, body.request(), now)
    return TestOut.of(await tests.find(uow, user, test.id, now))
