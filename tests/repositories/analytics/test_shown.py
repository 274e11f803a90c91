"""A person's shown attempts: the same as the embargo says for each attempt, with their figures."""

from datetime import UTC, datetime, timedelta

import httpx
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from app.models import Attempt, AttemptFigures
from app.repositories.embargo import Reader, shows_results, withholds_attempt
from app.services import tests
from app.services.analytics import figures
from app.services.components import Components
from app.services.unit_of_work import UnitOfWork, reading
from tests.builders.attempts import add_candidate, graded_attempt, take_test
from tests.builders.content import publish_for, publish_test
from tests.builders.exams import MINUTE, hold_exam
from tests.builders.people import People, user_id_of
from tests.conftest import TestClock

NOW = datetime(2026, 6, 7, 4, 0, tzinfo=UTC)


async def test_the_lists_say_what_the_embargo_says_of_each_attempt(
    engine: AsyncEngine, people: People, author: httpx.AsyncClient, clock: TestClock
) -> None:
    """Of all attempts in the database, among them one at a test with a question of an exam."""
    candidate = await people.candidate()
    practised = await publish_for(engine, author)
    await take_test(candidate, practised, {0: ["a"]})
    await hold_exam(author, await publish_for(engine, author, practised), starts_at=clock.now() + MINUTE)
    author_id = await user_id_of(author)
    readers = [
        Reader(await user_id_of(candidate), is_staff=False, is_admin=False),
        Reader(author_id, is_staff=True, is_admin=False),
        Reader(await user_id_of(await people.member("author")), is_staff=True, is_admin=False),
        Reader(author_id, is_staff=True, is_admin=True),
    ]
    withheld = []
    async with reading(engine) as reads:
        for reader in readers:
            differ = shows_results(reader).is_not_distinct_from(withholds_attempt(reader))
            assert await reads.session.scalar(select(func.count(Attempt.id)).where(differ)) == 0
            theirs = Attempt.user_id == readers[0].user_id, ~shows_results(reader)
            withheld.append(await reads.session.scalar(select(func.count(Attempt.id)).where(*theirs)))
        ranks = [await reads.embargo.withheld_ranks(reader, [practised.id]) for reader in readers]
    assert withheld == [1, 0, 1, 0]
    assert ranks == [{practised.id}, set(), {practised.id}, set()]


async def test_newest_first_with_figures_and_place(uow: UnitOfWork, parts: Components) -> None:
    made, candidate = await publish_test(uow), await add_candidate(uow)
    other = await graded_attempt(uow, parts, await add_candidate(uow), made, {0: ["a"], 1: ["b"]}, NOW)
    first = await graded_attempt(uow, parts, candidate, made, {0: ["a"]}, NOW, time_spent_ms=50)
    again = await graded_attempt(uow, parts, candidate, made, {0: ["b"]}, NOW + timedelta(days=1))
    await figures.calculate(uow, parts, [first.id, other.id])
    found = await uow.shown.attempts(tests.viewer(candidate))
    assert [each.id for each in found] == [again.id, first.id]
    assert (found[0].practice, found[0].counted, found[0].figures) == (True, False, None)
    kept = found[1].figures
    assert kept is not None
    assert (kept.total.correct, kept.total.spent_ms) == (1, 50)
    assert await uow.shown.spent_ms([first.id, again.id]) == {first.id: [50, 0, 0]}
    places = await uow.shown.standings([first.id, again.id])
    assert {key: (place.above, place.participants) for key, place in places.items()} == {first.id: (1, 2)}
    assert await uow.session.get(AttemptFigures, again.id) is None
    since = await uow.shown.attempts(tests.viewer(candidate), since=NOW + timedelta(hours=1))
    assert [each.id for each in since] == [again.id]
