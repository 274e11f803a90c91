"""The home screen of an app over HTTP."""

from app.api.deps import CurrentUser, Now, Reads
from app.api.routing import PrefixRouter
from app.schemas.home import HomeOut
from app.services.home import home

router = PrefixRouter(prefix="/users", tags=["users"])


@router.get("/home")
async def read_home(user: CurrentUser, reads: Reads, now: Now) -> HomeOut:
    """Everything that a home screen shows, in one call.

    At most 10 running attempts, 10 exams, 5 results and 5 suggestions; the lists have the rest. A result that
    an exam withholds is not in `recent`.

    `streak_days` is the number of consecutive days, in the time zone of your profile, on which you started an
    attempt, saved an answer or submitted. The streak ends today, or yesterday if there is no activity today
    yet.
    """
    return HomeOut.of(await home(reads, user, now), now)
