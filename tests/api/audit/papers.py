"""Actions on tests: their papers, keys, objections and statistics."""

from collections.abc import AsyncIterator

from app.services.unit_of_work import unit_of_work
from tests.api.audit.scenarios import Done, World, scenario
from tests.builders.attempts import take_test
from tests.builders.content import PublishedTest
from tests.builders.exams import body_of
from tests.builders.objections import add_objection
from tests.builders.people import user_id_of


@scenario(test=["publish", "print_solutions", "clone", "archive"])
async def publish_and_archive(world: World) -> AsyncIterator[Done]:
    made = await world.made()
    body_of(await world.admin.post(f"{made.path}/publish"))
    yield Done("test", "publish", made.id)
    answer = await world.admin.get(f"{made.path}/print", params={"part": "solutions"})
    assert answer.status_code == 200, answer.text
    yield Done("test", "print_solutions", made.id)
    copy = body_of(await world.admin.post(f"{made.path}/clone"))
    yield Done("test", "clone", copy["id"])
    body_of(await world.admin.post(f"{made.path}/archive"))
    yield Done("test", "archive", made.id)


@scenario(test=["consent", "withdraw_consent"])
async def consent(world: World) -> AsyncIterator[Done]:
    made = await world.made()
    path = f"{made.path}/consents/{await user_id_of(await world.people.member('author'))}"
    body_of(await world.admin.put(path))
    yield Done("test", "consent", made.id)
    assert (await world.admin.delete(path)).status_code == 204
    yield Done("test", "withdraw_consent", made.id)


@scenario(test=["try_key_revision", "withdraw_key_revision", "publish_key_revision"])
async def revise_the_key(world: World) -> AsyncIterator[Done]:
    made = await world.made()
    await _try_key_revision(world, made)
    yield Done("test", "try_key_revision", made.id)
    assert (await world.admin.delete(f"{made.path}/key-revisions/1")).status_code == 204
    yield Done("test", "withdraw_key_revision", made.id)
    await _try_key_revision(world, made)
    yield Done("test", "try_key_revision", made.id)
    body_of(await world.admin.post(f"{made.path}/key-revisions/2/publish"), 202)
    yield Done("test", "publish_key_revision", made.id)


async def _try_key_revision(world: World, made: PublishedTest) -> None:
    changes = [{"question_id": str(made.question_ids[0]), "key": ["d"]}]
    body = {"changes": changes, "reason": "The key was wrong."}
    body_of(await world.admin.post(f"{made.path}/key-revisions", json=body), 201)


@scenario(test=["export_objections", "decide_objections"])
async def objections(world: World) -> AsyncIterator[Done]:
    made = await world.made()
    async with unit_of_work(world.engine) as uow:
        await add_objection(uow, made.id, made.question_ids[0], None)
    assert (await world.admin.get(f"{made.path}/objections?format=csv")).is_success
    yield Done("test", "export_objections", made.id)
    body = {"question_id": str(made.question_ids[0]), "accept": False, "reason": "No source says so."}
    body_of(await world.admin.post(f"{made.path}/objections/decide", json=body))
    yield Done("test", "decide_objections", made.id)


@scenario(test=["read_similarity", "refresh_statistics"])
async def statistics(world: World) -> AsyncIterator[Done]:
    made = await world.made()
    await take_test(await world.people.candidate(), made, {0: ["a"]})
    body_of(await world.admin.get(f"/analytics/tests/{made.id}/similarity"))
    yield Done("test", "read_similarity", made.id)
    body_of(await world.admin.post(f"/analytics/tests/{made.id}/refresh"), 202)
    yield Done("test", "refresh_statistics", made.id)
