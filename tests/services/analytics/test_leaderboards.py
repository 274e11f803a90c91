"""Leaderboards of tests against a plain sort of everybody, and what they show of people."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from uuid import UUID

import pytest
from sqlalchemy import text

from app.models import Result, User
from app.services.analytics import leaderboards
from app.services.analytics.board_groups import shown_categories
from app.services.analytics.leaderboards import Leaderboard, LeaderboardRequest
from app.services.components import Components
from app.services.unit_of_work import UnitOfWork
from app.services.users import Principal
from tests.builders.attempts import add_candidate, graded_attempt
from tests.builders.content import PublishedTest, publish_test
from tests.thorough import part

NOW = datetime(2026, 11, 28, 9, 0, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
RIGHT, WRONG = (["a"], ["b"], ["c"]), (["d"], ["d"], ["d"])
SHEETS = ("rrr", "rr-", "rrw", "rww", "r--", "rr-", "---", "www", "rr-", "r--", "rrw", "rr-")
"""Right, wrong and blank answers of twelve candidates: six scores, one of them four times."""
CATEGORIES = ("obc", "general")


def answers_of(sheet: str) -> dict[int, list[str]]:
    chosen = {"r": RIGHT, "w": WRONG}
    return {position: chosen[letter][position] for position, letter in enumerate(sheet) if letter in chosen}


class Field:
    """A published test with its candidates, and the ranking by a plain sort of all of them."""

    def __init__(self, uow: UnitOfWork, parts: Components, made: PublishedTest) -> None:
        self.uow = uow
        self.parts = parts
        self.made = made
        self.people: list[Principal] = []
        self.order: list[tuple[Fraction, UUID, UUID, str]] = []

    async def add(self, sheet: str, category: str = "general") -> Principal:
        person = await add_candidate(self.uow)
        user = await self.uow.session.get_one(User, person.id)
        user.category = category
        attempt = await graded_attempt(self.uow, self.parts, person, self.made, answers_of(sheet), NOW)
        result = await self.uow.session.get_one(Result, attempt.id)
        score = Fraction(int(result.score_numerator), int(result.score_denominator))
        person = replace(person, category=category)
        self.people.append(person)
        self.order.append((-score, attempt.id, person.id, category))
        self.order.sort()
        return person

    def ranked(self, category: str | None = None) -> list[tuple[int, UUID]]:
        """Rank and person of everybody of the category, in the order of the board."""
        chosen = [each for each in self.order if category in (None, each[3])]
        return [(1 + sum(other[0] < each[0] for other in chosen), each[2]) for each in chosen]

    async def board(
        self, who: Principal, *, limit: int = 100, category: str | None = None, around_me: bool = False
    ) -> Leaderboard:
        wanted = LeaderboardRequest(limit, category, around_me)
        return await leaderboards.of_test(self.uow, self.parts, who, self.made.id, wanted, LATER)


@pytest.fixture
async def field(uow: UnitOfWork, parts: Components) -> Field:
    field = Field(uow, parts, await publish_test(uow))
    for position, sheet in enumerate(SHEETS):
        await field.add(sheet, CATEGORIES[position % 2])
    return field


def ranks(board: Leaderboard) -> list[int]:
    return [place.rank for place in board.items]


def window(ranked: Sequence[tuple[int, UUID]], person: UUID, limit: int) -> list[tuple[int, bool]]:
    at = next(position for position, (_, who) in enumerate(ranked) if who == person)
    part = ranked[max(0, at - limit) : at + limit + 1]
    return [(rank, who == person) for rank, who in part]


async def test_every_part_of_the_board_is_that_of_a_plain_sort(field: Field) -> None:
    """`make test` asks for a third of the boards."""
    for category in (None, *CATEGORIES):
        await compare_boards(field, category)


async def compare_boards(field: Field, category: str | None) -> None:
    ranked = field.ranked(category)
    on_board = {person for _, person in ranked}
    for position, person in enumerate(field.people):
        for limit in part((1, 3, 100), f"{category} {position}", 3):
            best = await field.board(person, limit=limit, category=category)
            around = await field.board(person, limit=limit, category=category, around_me=True)
            assert best.participants == around.participants == len(ranked)
            assert ranks(best) == [rank for rank, _ in ranked[:limit]]
            if person.id not in on_board:
                assert best.me is around.me is None
                assert list(around.items) == []
                continue
            assert [(row.rank, row.is_me) for row in around.items] == window(ranked, person.id, limit)
            assert best.me == around.me
            assert best.me is not None
            assert best.me.percentile == round(100 * (len(ranked) - best.me.rank + 1) / len(ranked), 7)


async def test_names(field: Field) -> None:
    """An alias on each call the same, a name for who chose it, and none for a deleted account."""
    before = await field.board(field.people[0])
    aliases = [place.name for place in before.items]
    assert len(set(aliases)) == len(SHEETS)
    assert all(name.startswith("Candidate ") and "Asha" not in name for name in aliases)
    for person, wants in zip(field.people, (True, "true", False), strict=False):
        user = await field.uow.session.get_one(User, person.id)
        user.preferences = {"show_name": wants}
    await field.uow.session.flush()
    after = [place.name for place in (await field.board(field.people[0])).items]
    assert sorted(set(after) - set(aliases)) == ["Asha Rao"]
    assert after.count("Asha Rao") == 1
    shown = await field.uow.session.get_one(User, field.people[0].id)
    shown.active, shown.deleted_at = False, LATER
    await field.uow.session.flush()
    assert [place.name for place in (await field.board(field.people[1])).items] == aliases


async def test_aliases_differ_from_board_to_board(field: Field) -> None:
    other = Field(field.uow, field.parts, await publish_test(field.uow))
    person = field.people[0]
    await graded_attempt(field.uow, field.parts, person, other.made, {}, NOW)
    here, there = (await field.board(person)).me, (await other.board(person)).me
    assert here is not None
    assert there is not None
    assert here.name != there.name


async def test_a_small_category_is_not_shown(field: Field) -> None:
    """Nor is another one: the whole board without all others would be the small one."""
    for _ in range(4):
        last = await field.add("r--", "st")
    outsider = await add_candidate(field.uow)
    for who in (last, outsider):
        boards = {each: await field.board(who, category=each) for each in ("st", "obc", "general")}
        shown = {each for each, board in boards.items() if board.participants is not None}
        assert shown == {"general"}
        board = boards["st"]
        assert (board.participants, list(board.items), board.me) == (None, [], None)
        assert board.reason is not None
        assert "5" in board.reason


async def test_who_joins_a_small_category_does_not_see_it(field: Field) -> None:
    """The category of the profile can be changed at any time, so that readers do not count in their own."""
    for _ in range(4):
        await field.add("r--", "st")
    spy = field.people[0]
    (await field.uow.session.get_one(User, spy.id)).category = "st"
    await field.uow.session.flush()
    assert (await field.board(replace(spy, category="st"), category="st")).participants is None
    assert (await field.board(await add_candidate(field.uow), category="st")).participants == 5


async def test_nobody_appears_by_name_in_a_group(field: Field) -> None:
    user = await field.uow.session.get_one(User, field.people[0].id)
    user.preferences = {"show_name": True}
    await field.uow.session.flush()
    whole = {place.name for place in (await field.board(field.people[0])).items}
    board = await field.board(field.people[0], category="obc")
    group = {place.name for place in board.items}
    assert "Asha Rao" in whole
    assert len(group) == 6
    assert not whole & group
    assert board.me is not None
    assert board.me.name in group


@pytest.mark.parametrize(
    ("participants", "shown"),
    [
        ({}, set()),
        ({"general": 4}, set()),
        ({"general": 5}, {"general"}),
        ({"general": 90, "obc": 40, "sc": 20, "ews": 10, "st": 5}, {"general", "obc", "sc", "ews", "st"}),
        ({"general": 90, "obc": 40, "st": 4}, {"general"}),
        ({"general": 90, "obc": 40, "sc": 1, "st": 3}, {"general"}),
        ({"general": 3, "obc": 40, "sc": 5}, {"obc"}),
        ({"general": 90, "obc": 4}, set()),
        ({"general": 90, "obc": 0}, {"general"}),
    ],
)
def test_shown_categories(participants: dict[str, int], shown: set[str]) -> None:
    assert shown_categories(participants) == shown


async def test_who_has_not_taken_the_test(field: Field) -> None:
    board = await field.board(await add_candidate(field.uow), around_me=True)
    assert (board.participants, list(board.items), board.me) == (12, [], None)


async def test_the_statement_reads_few_rows(field: Field) -> None:
    """The participants with a score come from the index, also before anything is analyzed."""
    await field.uow.session.execute(text("set local enable_seqscan = off"))
    plan = await field.uow.session.scalars(
        text(
            """
            explain select attempt_id from ias.results
            where cohort_id = '00000000-0000-0000-0000-000000000001' and counted
              and score_numerator = 1 and score_denominator = 3 order by attempt_id limit 10
            """
        )
    )
    lines = "\n".join(plan)
    assert "ix_results_board" in lines
    assert "Sort" not in lines
