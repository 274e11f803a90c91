"""A small rehearsal on a real `ias up` whose API is killed in the middle; then its checks are tested."""

import asyncio
import os
from collections.abc import Iterator
from uuid import UUID

import asyncpg
import pytest

from app.cli.servers import ensure_servers
from app.config import get_settings
from app.engine.responses import Event
from rehearsal import Options, Rehearsal
from rehearsal.audit import audit
from rehearsal.checks import mismatches
from tests.cli.conftest import FROM_OUTSIDE
from tests.cli.test_up import Terminal


@pytest.fixture(scope="module")
def rehearsal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rehearsal]:
    """One that has been run; the servers are there until the last test of this file."""
    terminal = Terminal(tmp_path_factory.mktemp("rehearsal"))
    with pytest.MonkeyPatch.context() as environment:
        for name in FROM_OUTSIDE:
            environment.delenv(name, raising=False)
        environment.chdir(terminal.folder)
        environment.setenv("IAS_HOME", str(terminal.home.folder))
        environment.setenv("GRACE_SECONDS", "1")
        try:
            run = terminal.run_of(terminal.up())
            with ensure_servers():
                get_settings.cache_clear()
                # Long enough for an API that was killed to come back before the end, on a busy machine, too.
                options = Options(
                    run["api_url"], terminal.home, 8, 12, seconds=20, devices=2, seed=1, kill=("api",)
                )
                rehearsal = Rehearsal(options)
                asyncio.run(rehearsal.run())
                yield rehearsal
        finally:
            get_settings.cache_clear()
            terminal.close()


@pytest.fixture
def cohort_id(rehearsal: Rehearsal) -> UUID:
    assert rehearsal.sittings[0].result is not None
    return UUID(rehearsal.sittings[0].result["attempt"]["test_id"])


async def execute(statement: str, *arguments: object) -> None:
    connection = await asyncpg.connect(os.environ["DATABASE_URL"], ssl=False)
    await connection.execute(statement, *arguments)
    await connection.close()


class TestRun:
    def test_every_result_is_what_was_acknowledged(self, rehearsal: Rehearsal) -> None:
        assert rehearsal.problems == []
        assert [sitting.result is not None for sitting in rehearsal.sittings] == [True] * 8
        assert all(sitting.log.acknowledged for sitting in rehearsal.sittings)

    def test_the_api_was_killed_and_its_clients_went_on(self, rehearsal: Rehearsal) -> None:
        assert rehearsal.killer is not None
        assert [name for name, _ in rehearsal.killer.back_after] == ["api"]
        assert rehearsal.tally.counts["connections lost"] > 0
        assert rehearsal.tally.counts["retries"] > 0


class TestPlantedErrors:
    def test_a_wrong_answer_is_detected(self, rehearsal: Rehearsal) -> None:
        log = rehearsal.sittings[3].log
        standing = next(event for event in log.standing().values() if event.answer is not None)
        planted = Event(standing.question_id, standing.lease + 1, 1, ("no such option",))
        log.acknowledge([planted])

        found = mismatches(rehearsal.sittings, rehearsal.questions, rehearsal.question_ids)
        log.acknowledged.pop((planted.question_id, planted.lease, planted.revision))

        assert any("acknowledged was ('no such option',)" in sentence for sentence in found)
        assert {sentence.partition(":")[0] for sentence in found} == {"Candidate 4"}

    def test_a_lost_answer_is_detected(self, rehearsal: Rehearsal, cohort_id: UUID) -> None:
        event = next(iter(rehearsal.sittings[0].log.acknowledged.values()))
        statement = """
            delete from ias.response_events
            where attempt_id = $1 and question_id = $2 and lease = $3 and revision = $4
        """
        identity = (UUID(rehearsal.sittings[0].attempt_id), event.question_id, event.lease, event.revision)
        asyncio.run(execute(statement, *identity))

        found = asyncio.run(audit(cohort_id, rehearsal.sittings))

        assert found == ["Candidate 1: 1 acknowledged answers are not stored"]

    def test_a_score_counted_twice_is_detected(self, rehearsal: Rehearsal, cohort_id: UUID) -> None:
        twice = """
            update ias.score_counts set candidates = candidates + 1
            where (cohort_id, numerator, denominator) in (
              select cohort_id, numerator, denominator from ias.score_counts where cohort_id = $1 limit 1)
        """
        asyncio.run(execute(twice, cohort_id))

        found = asyncio.run(audit(cohort_id, rehearsal.sittings))

        assert {"in_histogram: 9, not 8", "the histogram is wrong at 2 scores"} <= set(found)
