"""Series of one's own results, a year of study, and the analytics of a subject."""

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import Query

from app.api.deps import CurrentUser, Now, ReadsWithLag
from app.api.problems import problems
from app.api.routing import PrefixRouter
from app.core.errors import Invalid, NotFound
from app.engine.periods import Period
from app.schemas.analytics.series import PerformanceOut, StudyOut
from app.schemas.analytics.subject import SubjectAnalyticsOut
from app.services.analytics.performance import SeriesOrder, performance
from app.services.analytics.study import study
from app.services.analytics.subject_analysis import subject_analysis

router = PrefixRouter(tags=["analytics"])

EARLIEST, LATEST = date(2000, 1, 1), date(2100, 1, 1)


@router.get("/analytics/performance", responses=problems(Invalid, NotFound))
async def read_performance(
    user: CurrentUser,
    reads: ReadsWithLag,
    now: Now,
    first: Annotated[
        date | None,
        Query(alias="from", ge=EARLIEST, le=LATEST, description="The first day, such as 2026-06-07"),
    ] = None,
    last: Annotated[
        date | None, Query(alias="to", ge=EARLIEST, le=LATEST, description="The last day; by default today")
    ] = None,
    subject_id: Annotated[UUID | None, Query(description="Only the questions of this subject")] = None,
    bucket: Annotated[Period, Query(description="The parts of the series")] = Period.DAY,
) -> PerformanceOut:
    """Your results as a series of days, weeks (from Monday) or months.

    Only results that you may see count: graded, not void, and not withheld by an exam. A result belongs to
    the day on which its attempt ended, in the time zone of your profile. Without `from` the series has 30
    days, 12 weeks or a year. It has at most 400 parts.
    """
    order = SeriesOrder(first, last, bucket, subject_id)
    return PerformanceOut.of(await performance(reads, user, order, now))


@router.get("/users/analytics")
async def read_study(user: CurrentUser, reads: ReadsWithLag, now: Now) -> StudyOut:
    """Your last year: study by day, your best results, your streaks, and what to revise today.

    Days and best results are of results that you may see. A streak is as in `GET /users/progress`.
    """
    return StudyOut.of(await study(reads, user, now))


@router.get("/analytics/subject/{subject_id}", responses=problems(NotFound))
async def read_subject_analytics(
    subject_id: UUID, user: CurrentUser, reads: ReadsWithLag
) -> SubjectAnalyticsOut:
    """What your results say of one subject: by chapter, difficulty and tag, over time, and what to revise.

    Only results that you may see count. `GET /subjects/{subject_id}/analytics` is the same.
    """
    return SubjectAnalyticsOut.of(await subject_analysis(reads, user, subject_id))


@router.get("/subjects/{subject_id}/analytics", responses=problems(NotFound))
async def read_analytics_of_subject(
    subject_id: UUID, user: CurrentUser, reads: ReadsWithLag
) -> SubjectAnalyticsOut:
    """The same as `GET /analytics/subject/{subject_id}`."""
    return SubjectAnalyticsOut.of(await subject_analysis(reads, user, subject_id))
