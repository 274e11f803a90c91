"""A test is published again while a revision of its key is published, on two connections."""

from app.services import tests
from app.services.unit_of_work import UnitOfWork, reading
from app.services.users import operator
from tests.services.keys.desk import Desk, sitting
from tests.two_connections import alone, overlap


class Author:
    """Publishes the test of a desk again."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    async def publish(self, uow: UnitOfWork) -> int:
        now = self.desk.parts.clock.now()
        return (await tests.publish(uow, operator(), self.desk.made.id, now)).paper.version


class TestPublishedAgain:
    async def test_it_waits_for_who_asks_for_the_revision_and_is_refused(self, desk: Desk) -> None:
        await alone(desk.engine, desk.create)
        both = await overlap(desk.engine, desk.publish(1), Author(desk).publish)
        assert (both.waited, both.first.code, both.second.code) == (True, "ok", "key_revision_running")
        (await alone(desk.engine, desk.carry_out)).result()
        assert (await alone(desk.engine, Author(desk).publish)).value == 2

    async def test_the_revision_waits_and_its_dry_run_is_stale(self, desk: Desk) -> None:
        await alone(desk.engine, desk.create)
        both = await overlap(desk.engine, Author(desk).publish, desk.publish(1))
        assert (both.waited, both.first.value, both.second.code) == (True, 2, "stale_dry_run")

    async def test_it_waits_for_the_revision_that_is_carried_out(self, desk: Desk) -> None:
        candidate = await sitting(desk)
        await alone(desk.engine, candidate.submit)
        await desk.published()
        both = await overlap(desk.engine, desk.carry_out, Author(desk).publish)
        assert (both.waited, both.first.code, both.second.value) == (True, "ok", 2)
        async with reading(desk.engine) as reads:
            papers = await reads.key_revisions.papers(desk.made.id, desk.made.question_ids)
            keys = [(await reads.keys.current(paper.id)).key for paper in papers]
        revised = str(desk.made.question_ids[0])
        assert [key[revised]["key"]["accepted"] for key in keys] == [[["b"]], [["b"]]]
