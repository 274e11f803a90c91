"""A small part of `tests.faults.interleavings`: pairs of calls, overlapping, and planted faults.

`make test` runs a tenth of the pairs, `make thorough` each pair once, `make faults` thousands of cases.
"""

import ast
import random
from collections.abc import AsyncIterator, Iterator

import pytest

from tests.conftest import ROOT, cloned_database
from tests.faults.interleaving.cases import ISSUE_CALLS, case_of, pairs
from tests.faults.interleaving.planted import planted
from tests.faults.interleaving.running import Runner, open_runner
from tests.thorough import part

SEED = 1
UNTIL_OVERLAPPING = 8
"""So many cases of a pair are tried for one whose calls overlap: some wait from their first statement on."""


@pytest.fixture(scope="module")
def own_database(superuser_url: str, template: str) -> Iterator[str]:
    """A database without anybody else's attempts: the sweeper of these cases closes all that are overdue."""
    with cloned_database(superuser_url, template) as url:
        yield url


@pytest.fixture(scope="module")
async def runner(own_database: str) -> AsyncIterator[Runner]:
    async with open_runner(own_database) as runner:
        yield runner


class TestPairs:
    @pytest.mark.parametrize("pair", part(pairs(ISSUE_CALLS), "pairs", 10), ids="-".join)
    async def test_log_results_histogram_and_audit_agree(self, runner: Runner, pair: tuple[str, str]) -> None:
        for number in range(UNTIL_OVERLAPPING):
            report = await runner.run(case_of(SEED, number, pair))
            assert report.faults == []
            if report.overlapped:
                break


class TestPlantedFaults:
    @pytest.mark.parametrize(
        ("name", "pair", "sentence"),
        [
            ("void-keeps-score", ("void", "grade"), "the histogram is"),
            ("audit-forgotten", ("pause", "save"), "the audit log has"),
        ],
    )
    async def test_each_is_found(
        self, runner: Runner, name: str, pair: tuple[str, str], sentence: str
    ) -> None:
        with planted(name):
            for number in range(20):
                faults = (await runner.run(case_of(SEED, number, pair))).faults
                if any(fault.startswith(sentence) for fault in faults):
                    return
        pytest.fail(f"no case has found {name}")


class TestCases:
    def test_a_number_is_always_the_same_case(self) -> None:
        assert case_of(3, 17) == case_of(3, 17)
        assert case_of(3, 17) != case_of(4, 17)

    def test_the_pairs_take_turns(self) -> None:
        every = pairs()
        names = [tuple(call.name for call in case_of(1, number).calls) for number in range(len(every))]
        assert names == every

    async def test_a_case_is_stepped_in_the_same_order_again(self, runner: Runner) -> None:
        case = case_of(SEED, random.Random(SEED).randrange(1000), ("submit", "extend"))
        first, second = await runner.run(case), await runner.run(case)
        assert first.trace == second.trace
        assert [each.kind for each in first.outcomes] == [each.kind for each in second.outcomes]


class TestChecker:
    @pytest.mark.parametrize("name", ["checker", "row_rules", "marking"])
    def test_it_takes_nothing_from_the_product(self, name: str) -> None:
        tree = ast.parse((ROOT / "tests" / "faults" / "interleaving" / f"{name}.py").read_text())
        imported = [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
        imported += [
            each.name for node in ast.walk(tree) if isinstance(node, ast.Import) for each in node.names
        ]
        assert [module for module in imported if module.partition(".")[0] == "app"] == []
