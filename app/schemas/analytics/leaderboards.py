"""Leaderboards."""

from typing import Annotated, Literal, Self

from pydantic import Field

from app.schemas.analytics.estimates import localized
from app.schemas.common import LocalizedText, Out
from app.schemas.exams.ranking import PercentileDefinitionName
from app.services.analytics.leaderboards import Leaderboard, LeaderboardPlace


class LeaderboardPlaceOut(Out):
    """A place on a leaderboard. Equal scores share a rank, and the next ranks are skipped: 1, 2, 2, 4."""

    rank: int
    name: Annotated[
        str,
        Field(
            description="An alias, or the name of a person with `show_name` in the preferences",
            examples=["Candidate 7K2M-QXB4"],
        ),
    ]
    score: Annotated[str, Field(description="Printed marks", examples=["112.66"])]
    percentile: float
    is_me: bool

    @classmethod
    def of(cls, place: LeaderboardPlace) -> Self:
        """A place of a service."""
        return cls.model_validate(place, from_attributes=True)


class LeaderboardOut(Out):
    """A part of a leaderboard.

    A board of a test is live and changes while others finish. A board of an exam is the merit list of the
    current release. If a category has too few participants, `participants` is null, `items` is empty, and
    `reason` says why.
    """

    kind: Literal["live", "official"]
    participants: int | None
    percentile: Annotated[
        PercentileDefinitionName,
        Field(description="The definition of its percentiles: of a test NTA's, of an exam that of the exam"),
    ]
    paper_version: Annotated[
        int | None, Field(description="Of a test: the version that is ranked, with those of its marking")
    ]
    items: list[LeaderboardPlaceOut]
    me: Annotated[LeaderboardPlaceOut | None, Field(description="Your place; null if you have none here")]
    reason: LocalizedText | None

    @classmethod
    def of(cls, board: Leaderboard) -> Self:
        """A board of a service."""
        return cls(
            kind="official" if board.is_official else "live",
            participants=board.participants,
            percentile=board.percentile_definition,
            paper_version=board.paper_version,
            items=[LeaderboardPlaceOut.of(each) for each in board.items],
            me=LeaderboardPlaceOut.of(board.me) if board.me else None,
            reason=localized(board.reason),
        )
