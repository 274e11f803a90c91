"""A small exam on a real `ias up`; then the checks of rehearsed exams are tested."""

import asyncio
import os
from pathlib import Path

import asyncpg
import pytest

from rehearsal import database_checks
from rehearsal.exam import database_checks as exam_database_checks
from rehearsal.exam.options import ExamOptions
from rehearsal.exam.run import ExamRehearsal
from tests.rehearsal.growing_time import rehearse
from tests.thorough import thorough_only

CANDIDATES = 16

pytestmark = thorough_only


@pytest.fixture(scope="module")
def rehearsal(installation: tuple[str, Path]) -> ExamRehearsal:
    """A finished exam."""

    def make(seconds: int) -> ExamRehearsal:
        return ExamRehearsal(ExamOptions(*installation, CANDIDATES, 10, seconds, papers=2, devices=2, seed=1))

    return rehearse(make, seconds=8)


async def execute(statement: str, *arguments: object) -> None:
    connection = await asyncpg.connect(os.environ["DATABASE_URL"], ssl=False)
    await connection.execute(statement, *arguments)
    await connection.close()


class TestRun:
    def test_everything_that_was_promised_is_there(self, rehearsal: ExamRehearsal) -> None:
        assert rehearsal.problems == []
        outcomes = [each.result["outcome"] for each in rehearsal.candidates if each.result]
        assert len(outcomes) == CANDIDATES
        assert {"ranked", "incomplete", "absent"} <= set(outcomes)
        assert rehearsal.released["participants"] == outcomes.count("ranked")

    def test_it_all_happened(self, rehearsal: ExamRehearsal) -> None:
        said = " ".join(sentence for _, sentence in rehearsal.events)

        for scene in (
            "announcement",
            "extra time",
            "extend",
            "pause",
            "resume",
            "submit",
            "void",
            "admit-late",
        ):
            assert f"{scene}: " in said
        assert rehearsal.scanner.scanned > 100
        assert any(attempt.log.admitted for each in rehearsal.candidates for attempt in each.started_attempts)

    def test_everybody_heard_of_it(self, rehearsal: ExamRehearsal) -> None:
        logs = [each.socket.log for each in rehearsal.candidates if each.socket is not None]

        assert len(logs) > CANDIDATES / 2
        assert all("results_released" in {message.type for message in log.received} for log in logs)
        assert rehearsal.metrics.counts["sockets disconnected"] > 0


class TestBadDay:
    def test_every_candidate_is_right_at_its_end(self, installation: tuple[str, Path]) -> None:
        def make(seconds: int) -> ExamRehearsal:
            options = ExamOptions(
                *installation,
                candidates=9,
                questions=10,
                seconds=seconds,
                papers=1,
                devices=2,
                seed=1,
                bad_day=True,
            )
            return ExamRehearsal(options)

        rehearsal = rehearse(make, seconds=8)

        assert rehearsal.problems == []
        said = " ".join(sentence for _, sentence in rehearsal.events)
        for scene in (
            "postponed",
            "power cut",
            "pause",
            "announcement",
            "void",
            "submit",
            "reopen",
            "extend",
        ):
            assert scene in said
        assert {each.result["outcome"] for each in rehearsal.candidates if each.result} <= {
            "ranked",
            "not_qualified",
            "absent",
        }


class TestPlantedErrors:
    def test_an_attempt_that_is_graded_though_void(self, rehearsal: ExamRehearsal) -> None:
        paper = rehearsal.papers[0]
        attempts = [
            attempt
            for each in rehearsal.candidates
            for attempt in each.started_attempts
            if attempt.paper is paper
        ]
        void = next(attempt for attempt in attempts if attempt.is_voided)
        count = """
            insert into ias.results (attempt_id, cohort_id, user_id, counted, score_numerator,
              score_denominator, raw_numerator, raw_denominator, key_id, answers, outcomes, marks,
              marks_denominator, graded_at)
            select $1::uuid, cohort_id, null, counted, score_numerator, score_denominator, raw_numerator,
              raw_denominator, key_id, answers, outcomes, marks, marks_denominator, graded_at
            from ias.results where cohort_id = $2::uuid limit 1
        """
        asyncio.run(execute(count, void.attempt_id, str(paper.paper_id)))

        found = asyncio.run(database_checks.mismatches(paper.paper_id, attempts, void=1))
        assert f"results: {len(attempts)}, not {len(attempts) - 1}" in found
        assert asyncio.run(exam_database_checks.void_mismatches([void.attempt_id])) == [
            "1 voided attempts are counted"
        ]
