"""Leaderboards: live for a test, official for an exam. People appear under aliases (docs/decisions/0071)."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction
from uuid import UUID

from app.core.aliases import alias_of
from app.core.errors import NotAvailable
from app.engine.marks import RoundingPolicy
from app.engine.ranking import Distribution, at_or_below_percentile
from app.models import Exam
from app.repositories.analytics.leaderboards import BoardOfTest, MeritPlace, Participant, RankedGroup
from app.sentences import Sentence
from app.services import tests
from app.services.analytics.board_groups import MIN_GROUP_SIZE, board_of_group, shown_categories
from app.services.components import Components
from app.services.exams.results import released_exam
from app.services.unit_of_work import Reading
from app.services.users import Principal

TOO_FEW = Sentence(
    "This group, or another one that could be worked out from it, has fewer than {fewest} participants. Its"
    " places are not shown.",
    fewest=MIN_GROUP_SIZE,
)
SECONDS_KEPT = 60
"""For so long the ranks of a category at a test may be behind the live ones: counting reads all results."""


PLACES = 10
"""How many places of a board are shown by default."""


@dataclass(frozen=True, slots=True)
class LeaderboardRequest:
    """Which part of a board is wanted: its best `limit`, or so many above and below oneself."""

    limit: int
    category: str | None = None
    around_me: bool = False
    pwbd: bool = False
    """Only candidates with a benchmark disability."""

    @property
    def group(self) -> str | None:
        """The group that is ranked, if only some participants are. If they are few, they could be recognized.

        Nobody appears by name in a group: the name would tell who belongs to it.
        """
        return "pwbd" if self.pwbd else self.category


@dataclass(frozen=True, slots=True)
class LeaderboardPlace:
    """A place on a board."""

    rank: int
    name: str
    score: str
    percentile: float
    is_me: bool


@dataclass(frozen=True, slots=True)
class Leaderboard:
    """A part of a leaderboard. `participants` is None and `reason` says why if it is not shown."""

    participants: int | None
    items: Sequence[LeaderboardPlace] = ()
    me: LeaderboardPlace | None = None
    is_official: bool = False
    paper_version: int | None = None
    reason: Sentence | None = None
    percentile_definition: str = "at_or_below"
    profiles: Mapping[UUID, str] = field(default_factory=dict)
    """The versions of the profiles of who appears on the board of a test: a name can change at any time."""


async def of_test(
    reads: Reading,
    parts: Components,
    user: Principal,
    test_id: UUID,
    wanted: LeaderboardRequest,
    now: datetime,
) -> Leaderboard:
    """The ranking of the published version of a test, and of the versions with its marking, as it is now.

    Raises NotFound for a test that the user may not see, and NotAvailable while an exam withholds it.
    """
    found = await reads.leaderboards.of_test(tests.viewer(user), test_id, now)
    version, cohort_id = found.paper_version, found.cohort_id
    if cohort_id is None:
        raise NotAvailable("The test has no published version, and so no leaderboard.")
    if found.withholds_rank:
        raise NotAvailable(
            "The leaderboard is not available now: an exam that is not released has a question of the test."
        )
    scores = await _distribution(reads, parts, user, found, wanted.category)
    if scores is None:
        return _hidden(paper_version=version)
    board = _TestLeaderboard(reads, cohort_id, scores, wanted)
    is_here = wanted.category in (None, user.category)
    own = found.own if is_here and found.own and found.own[1] in scores.place_of else None
    ids = await board.around(own) if wanted.around_me else await board.best()
    shown_ids = [*ids, *([own[0]] if own else [])]
    people = await reads.leaderboards.participants(shown_ids)
    secret = parts.settings.secret_key.get_secret_value()
    board_id = board_of_group(cohort_id, wanted.group)

    def name_of(person: Participant) -> str:
        shown = person.name if wanted.group is None else None
        return shown or alias_of(secret, board_id, person.user_id or person.attempt_id)

    places = {
        person.attempt_id: LeaderboardPlace(
            rank=standing.rank,
            name=name_of(person),
            score=person.score.printed(RoundingPolicy(person.rounding)),
            percentile=standing.percentile,
            is_me=person.user_id == user.id,
        )
        for person in people.values()
        if (standing := scores.standing(person.score.exact)) is not None
    }
    return Leaderboard(
        participants=scores.participants,
        items=[places[each] for each in ids if each in places],
        me=places.get(own[0]) if own else None,
        paper_version=version,
        profiles={
            person.user_id: person.profile_version
            for person in people.values()
            if person.user_id and person.profile_version
        },
    )


async def of_exam(
    reads: Reading, parts: Components, user: Principal, exam_id: UUID, wanted: LeaderboardRequest
) -> Leaderboard:
    """The merit list of an exam's current release. Raises NotFound, or ResultsNotReleased."""
    exam = await released_exam(reads, user, exam_id)
    participants = await _ranked(reads, parts, exam, wanted)
    if participants is None:
        return _hidden(is_official=True)
    own = await reads.leaderboards.exam_place(exam, user.id)
    if own is not None and not _is_on_board(own, wanted):
        own = None
    places = await _exam_places(reads, exam, own, wanted)
    secret = parts.settings.secret_key.get_secret_value()
    board_id = board_of_group(exam.id, wanted.group)

    def shown(place: MeritPlace) -> LeaderboardPlace:
        rank, percentile = _standing_on(place, wanted, participants)
        name = place.name if wanted.group is None else None
        return LeaderboardPlace(
            rank=rank,
            name=name or alias_of(secret, board_id, place.registration_id),
            score=place.total,
            percentile=percentile,
            is_me=place.user_id == user.id,
        )

    return Leaderboard(
        participants=participants,
        items=[shown(place) for place in places],
        me=shown(own) if own else None,
        is_official=True,
        percentile_definition=exam.percentile_definition,
    )


def _is_on_board(place: MeritPlace, wanted: LeaderboardRequest) -> bool:
    return wanted.category in (None, place.category) and not (wanted.pwbd and place.pwbd_rank is None)


def _standing_on(place: MeritPlace, wanted: LeaderboardRequest, participants: int) -> tuple[int, float]:
    """The rank and the percentile in the group that is ranked. Old releases have no percentile of groups."""
    if wanted.pwbd:
        rank, percentile = place.pwbd_rank, place.pwbd_percentile
    elif wanted.category is not None:
        rank, percentile = place.category_rank, place.category_percentile
    else:
        rank, percentile = place.rank, place.percentile
    if rank is None:
        return place.rank, place.percentile
    return rank, at_or_below_percentile(rank, participants) if percentile is None else percentile


class _TestLeaderboard:
    """The order of a test's participants: by exact score, and those of one score by their attempt."""

    def __init__(
        self, reads: Reading, cohort_id: UUID, scores: Distribution[Fraction], wanted: LeaderboardRequest
    ) -> None:
        self._reads = reads
        self._cohort_id = cohort_id
        self._wanted = wanted
        self._scores = scores.scores
        self._place_of = scores.place_of

    async def best(self) -> Sequence[UUID]:
        return await self._places(self._scores, self._wanted.limit)

    async def around(self, own: tuple[UUID, Fraction] | None) -> Sequence[UUID]:
        """The attempts above and below one's own, in order, with it; none without one."""
        if own is None:
            return []
        attempt_id, score = own
        place = self._place_of[score]
        upwards = self._scores[place::-1]
        above = await self._places(upwards, self._wanted.limit, beyond=attempt_id, forward=False)
        below = await self._places(self._scores[place:], self._wanted.limit, beyond=attempt_id)
        return [*reversed(above), attempt_id, *below]

    async def _places(
        self, scores: Sequence[Fraction], rows: int, *, beyond: UUID | None = None, forward: bool = True
    ) -> Sequence[UUID]:
        """Each score has a participant, except that one's own may have no other: one score more is enough."""
        return await self._reads.leaderboards.places(
            self._cohort_id,
            scores[: rows + 1],
            rows,
            category=self._wanted.category,
            beyond=beyond,
            forward=forward,
        )


async def _exam_places(
    reads: Reading, exam: Exam, own: MeritPlace | None, wanted: LeaderboardRequest
) -> Sequence[MeritPlace]:
    group = RankedGroup(wanted.category, wanted.pwbd)
    if not wanted.around_me:
        return await reads.leaderboards.exam_places(exam, wanted.limit, group)
    if own is None:
        return []
    above = await reads.leaderboards.exam_places(exam, wanted.limit, group, beyond=own, forward=False)
    below = await reads.leaderboards.exam_places(exam, wanted.limit, group, beyond=own)
    return [*reversed(above), own, *below]


async def _distribution(
    reads: Reading, parts: Components, user: Principal, found: BoardOfTest, category: str | None
) -> Distribution[Fraction] | None:
    """The scores of all participants or of a category; None if the category is not shown to this reader.

    The categories are those of the profiles, which anybody may change at any time. So readers do not count
    among the participants of their own category: with them, a category of four would be one of five.
    """
    cohort_id = found.cohort_id
    assert cohort_id is not None  # noqa: S101 -- the caller has refused a board without one
    if category is None:
        return await reads.attempts.distribution(cohort_id)

    async def load() -> list[tuple[str, str, int]]:
        counted = await reads.leaderboards.histograms_by_category(cohort_id)
        return [(group, str(score), count) for group, score, count in counted]

    kept = await parts.cache.get_or_load(f"board:{cohort_id}:categories", SECONDS_KEPT, load)
    others: Counter[str] = Counter()
    for group, _, count in kept:
        others[group] += count
    if found.own is not None:
        others[user.category] -= 1
    if category not in shown_categories(others):
        return None
    return Distribution({Fraction(score): count for group, score, count in kept if group == category})


async def _ranked(reads: Reading, parts: Components, exam: Exam, wanted: LeaderboardRequest) -> int | None:
    """How many candidates have a rank; None for a group that is not shown.

    A release never changes, but the category of a registration can.
    """
    if wanted.group is None:
        release = await reads.exam_results.release(exam)
        return release.participants if release is not None else 0

    async def load() -> list[tuple[str, int]]:
        return await reads.leaderboards.ranked_by_group(exam)

    key = f"board:{exam.id}:{exam.results_version}:groups"
    ranked = dict(await parts.cache.get_or_load(key, SECONDS_KEPT, load))
    if wanted.category is None:
        return ranked["pwbd"] if ranked["pwbd"] >= MIN_GROUP_SIZE else None
    del ranked["pwbd"]
    return ranked[wanted.category] if wanted.category in shown_categories(ranked) else None


def _hidden(*, is_official: bool = False, paper_version: int | None = None) -> Leaderboard:
    return Leaderboard(None, is_official=is_official, paper_version=paper_version, reason=TOO_FEW)
