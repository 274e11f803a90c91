"""Every action is in the audit log: who did it, to what, and in which request."""

import re
from collections import Counter
from pathlib import Path

import pytest

from app.services import audit
from app.services.audit import AuditSubject
from app.services.users import operator
from tests.api.audit import accounts, bank, exams, papers, results
from tests.api.audit.scenarios import Actor, Done, Scenario, World
from tests.builders.people import user_id_of

SCENARIOS = [
    each
    for module in (accounts, bank, papers, exams, results)
    for each in vars(module).values()
    if isinstance(each, Scenario)
]


class TestEveryAction:
    def test_is_done_by_one_scenario(self) -> None:
        done = Counter(action for scenario in SCENARIOS for action in scenario.actions)
        declared = {(kind, action) for kind, actions in audit.ACTIONS.items() for action in actions}
        assert done == Counter(declared)

    @pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
    async def test_is_in_the_log(self, world: World, scenario: Scenario) -> None:
        done, seen = set(), set[str]()
        async for action in scenario.steps(world):
            await check_recorded(world, action, seen)
            done.add((action.kind, action.action))
        assert done == scenario.actions

    def test_that_is_not_declared_is_refused(self) -> None:
        with pytest.raises(ValueError, match="not among"):
            audit.record(None, operator(), "peek", AuditSubject("user"))  # type: ignore[arg-type]

    def test_is_in_the_documentation(self) -> None:
        page = (Path(__file__).parents[3] / "docs" / "api.md").read_text(encoding="utf-8")
        for kind in audit.ACTIONS:
            row = page.split("**The audit log**")[1].split(f"| `{kind}` |")[1].partition("\n")[0]
            assert set(re.findall(r"`([a-z_-]+)`", row)) == audit.ACTIONS[kind], kind


async def check_recorded(world: World, done: Done, seen: set[str]) -> None:
    """The action has a new entry. Adds the ids of the subject's entries to those seen so far."""
    person = str(done.subject_id)
    actors = {Actor.ADMIN: str(await user_id_of(world.admin)), Actor.PERSON: person, Actor.NOBODY: None}
    actor = actors[done.actor]
    entries = await world.entries(subject=done.subject, **({"actor": actor} if actor else {}))
    new = [entry for entry in entries if entry["id"] not in seen and entry["action"] == done.action]
    assert new, f"{done.action} of {done.kind} is not in the log"
    seen.update(entry["id"] for entry in entries)
    assert new[0]["actor_id"] == actor, done
    subject_id = str(done.subject_id) if done.subject_id else None
    assert new[0]["subject"] == {"kind": done.kind, "id": subject_id}
    assert (new[0]["request_id"] is None) == (actor is None), done
