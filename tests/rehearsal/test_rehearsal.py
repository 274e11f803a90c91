"""A small rehearsal on a real `ias up` whose API is killed in the middle; then its checks are tested."""

import asyncio
import os
from pathlib import Path
from uuid import UUID

import asyncpg
import pytest

from rehearsal import database_checks
from rehearsal.response_log import ResponseEvent
from rehearsal.result_checks import mismatches
from rehearsal.run import Options, Rehearsal
from tests.rehearsal.growing_time import rehearse
from tests.thorough import thorough_only

CANDIDATES = 8

pytestmark = thorough_only

Installation = tuple[str, Path]


@pytest.fixture(scope="module")
def rehearsal(installation: Installation) -> Rehearsal:
    """A finished rehearsal. The time is long enough for the API to come back before the end."""

    def make(seconds: int) -> Rehearsal:
        return Rehearsal(Options(*installation, CANDIDATES, 12, seconds, devices=2, seed=1, kill=("api",)))

    return rehearse(make, seconds=20)


@pytest.fixture
def cohort_id(rehearsal: Rehearsal) -> UUID:
    assert rehearsal.attempts[0].result is not None
    return UUID(rehearsal.attempts[0].result["attempt"]["test_id"])


async def execute(statement: str, *arguments: object) -> None:
    connection = await asyncpg.connect(os.environ["DATABASE_URL"], ssl=False)
    await connection.execute(statement, *arguments)
    await connection.close()


class TestRun:
    def test_every_result_is_what_was_acknowledged(self, rehearsal: Rehearsal) -> None:
        assert rehearsal.problems == []
        assert [attempt.result is not None for attempt in rehearsal.attempts] == [True] * CANDIDATES
        assert all(attempt.log.acknowledged for attempt in rehearsal.attempts)

    def test_the_api_was_killed_and_its_clients_went_on(self, rehearsal: Rehearsal) -> None:
        assert rehearsal.killer is not None
        assert [name for name, _ in rehearsal.killer.recovery_times] == ["api"]
        assert rehearsal.metrics.counts["connections lost"] > 0
        assert rehearsal.metrics.counts["retries"] > 0


class TestPlantedErrors:
    def test_a_wrong_answer_is_detected(self, rehearsal: Rehearsal) -> None:
        log = rehearsal.attempts[3].log
        standing = next(event for event in log.standing().values() if event.answer is not None)
        planted = ResponseEvent(standing.question_id, standing.lease + 1, 1, ("no such option",))
        log.acknowledge([planted])

        found = mismatches(rehearsal.attempts, rehearsal.questions, rehearsal.question_ids)
        log.acknowledged.pop((planted.question_id, planted.lease, planted.revision))

        assert any("acknowledged was ('no such option',)" in sentence for sentence in found)
        assert {sentence.partition(":")[0] for sentence in found} == {"Candidate 4"}

    def test_a_lost_answer_is_detected(self, rehearsal: Rehearsal, cohort_id: UUID) -> None:
        event = next(iter(rehearsal.attempts[0].log.acknowledged.values()))
        statement = """
            delete from ias.response_events
            where attempt_id = $1 and question_id = $2 and lease = $3 and revision = $4
        """
        identity = (UUID(rehearsal.attempts[0].attempt_id), event.question_id, event.lease, event.revision)
        asyncio.run(execute(statement, *identity))

        found = asyncio.run(database_checks.mismatches(cohort_id, rehearsal.attempts))

        assert found == ["Candidate 1: 1 acknowledged answers are not stored"]

    def test_a_score_counted_twice_is_detected(self, rehearsal: Rehearsal, cohort_id: UUID) -> None:
        twice = """
            update ias.score_counts set candidates = candidates + 1
            where (cohort_id, numerator, denominator) in (
              select cohort_id, numerator, denominator from ias.score_counts where cohort_id = $1 limit 1)
        """
        asyncio.run(execute(twice, cohort_id))

        found = asyncio.run(database_checks.mismatches(cohort_id, rehearsal.attempts))

        assert {"in_histogram: 9, not 8", "the histogram is wrong at 2 scores"} <= set(found)


class TestTooShort:
    def test_a_candidate_who_is_too_slow_is_a_delay_and_no_problem(self, installation: Installation) -> None:
        rehearsal = Rehearsal(Options(*installation, 8, 12, seconds=1, devices=3, seed=1))

        asyncio.run(rehearsal.run())

        assert rehearsal.problems == []
        assert len(rehearsal.attempts) == 8
