"""A small dispute on a real `ias up`, with the demo mock; then its checks are tested."""

import asyncio
from importlib.resources import files
from pathlib import Path

import pytest

from rehearsal.dispute import exports
from rehearsal.dispute.dispute import Dispute, WindowTooShort
from rehearsal.dispute.exports import Export
from rehearsal.dispute.options import DisputeOptions
from tests.thorough import thorough_only

pytestmark = thorough_only

CANDIDATES = 30
PAPER = Path(str(files("app.cli.demo_content") / "general_studies_mock.csv"))
_TRIES = 5


@pytest.fixture(scope="module")
def dispute(installation: tuple[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Dispute:
    """A dispute that has been played. On a slow machine it is repeated with a longer window."""
    folder = tmp_path_factory.mktemp("exports")
    for attempt in range(_TRIES):
        options = DisputeOptions(installation[0], PAPER, CANDIDATES, 2.0 * 2**attempt, seed=1, out=folder)
        dispute = Dispute(options)
        try:
            asyncio.run(dispute.run())
        except WindowTooShort:
            continue
        return dispute
    pytest.fail("The window for objections was always too short.")


class TestPlay:
    def test_nothing_is_wrong(self, dispute: Dispute) -> None:
        assert dispute.problems == []

    def test_it_all_happened(self, dispute: Dispute) -> None:
        account = "\n".join(sentence for _, sentence in dispute.events)
        for sentence in (
            "before the revision: 30 candidates, 0 differences",
            "after the revision: 30 candidates, 0 differences",
            "30 candidates object to keys",
            "The dry run is revision 1",
            "30 of 30 attempts graded again",
            "Mails: results released 30, objections accepted 24, objections rejected 6",
            "receipts are valid after the revision",
            "`ias verify` says of one: Genuine",
            "Score before: ",
        ):
            assert sentence in account
        assert any(change.changes_rank for change in dispute.changes)


class TestPlantedErrors:
    def test_are_noticed(self, dispute: Dispute) -> None:
        export = Export.read(dispute.options.out / "after.jsonl")
        first, second, third = dispute.candidates[:3]
        export.rows[first.roll_number]["papers"][0]["answers"][5] = ["a", "b", "c"]
        export.rows[second.roll_number]["papers"][0]["key"] = 1
        export.rows[third.roll_number]["rank"] = 99

        found = list(exports.mismatches(export, dispute.candidates, key=2, reading=1))

        assert found == [
            "Candidate 1: the answers in the export are not those that were sent",
            "Candidate 2 is marked by version 1 of the key, not 2",
            "Candidate 3: the own result and the export differ",
        ]

    def test_a_wrong_forecast_is_noticed(self, dispute: Dispute) -> None:
        scores = sum(change.changes_score for change in dispute.changes)
        impact = {"attempts": CANDIDATES, "scores_changed": scores, "ranks_changed": 99}

        [sentence] = exports.impact_mismatches(dispute.changes, impact)

        assert sentence.startswith("the dry run foretold ranks_changed: 99")
