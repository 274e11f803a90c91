"""A small exam on a real `ias up`, and the checks that would see it go wrong."""

import asyncio
import os
from collections.abc import Iterator

import asyncpg
import pytest

from app.cli.servers import ensure_servers
from app.config import get_settings
from rehearsal.audit import audit
from rehearsal.exam import ExamOptions, ExamRehearsal, looks
from tests.cli.conftest import FROM_OUTSIDE
from tests.cli.test_up import Terminal

CANDIDATES = 16


@pytest.fixture(scope="module")
def rehearsal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ExamRehearsal]:
    """One that has been held; the servers are there until the last test of this file."""
    terminal = Terminal(tmp_path_factory.mktemp("exam"))
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
                options = ExamOptions(
                    run["api_url"], terminal.home, CANDIDATES, 10, seconds=3, papers=2, devices=2, seed=1
                )
                rehearsal = ExamRehearsal(options)
                asyncio.run(rehearsal.run())
                yield rehearsal
        finally:
            get_settings.cache_clear()
            terminal.close()


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
        assert rehearsal.secrecy.looked_at > 100
        assert any(sitting.log.admitted for each in rehearsal.candidates for sitting in each.begun)

    def test_everybody_heard_of_it(self, rehearsal: ExamRehearsal) -> None:
        records = [each.ear.record for each in rehearsal.candidates if each.ear is not None]

        assert len(records) > CANDIDATES / 2
        assert all(any(heard.type == "results_released" for heard in record.heard) for record in records)
        assert rehearsal.tally.counts["sockets dropped"] > 0


class TestPlantedErrors:
    def test_an_attempt_that_is_graded_though_void(self, rehearsal: ExamRehearsal) -> None:
        hall = rehearsal.halls[0]
        sittings = [
            sitting for each in rehearsal.candidates for sitting in each.begun if sitting.hall is hall
        ]
        void = next(sitting for sitting in sittings if sitting.is_to_be_voided)
        count = """
            insert into ias.results (attempt_id, cohort_id, user_id, counted, score_numerator,
              score_denominator, raw_numerator, raw_denominator, key_id, answers, outcomes, marks,
              marks_denominator, graded_at)
            select $1::uuid, cohort_id, null, counted, score_numerator, score_denominator, raw_numerator,
              raw_denominator, key_id, answers, outcomes, marks, marks_denominator, graded_at
            from ias.results where cohort_id = $2::uuid limit 1
        """
        asyncio.run(execute(count, void.attempt_id, str(hall.paper_id)))

        found = asyncio.run(audit(hall.paper_id, sittings, void=1))
        assert f"results: {len(sittings)}, not {len(sittings) - 1}" in found
        assert asyncio.run(looks.void_mismatches([void.attempt_id])) == [
            "1 voided attempts count all the same"
        ]
