"""A test as a file describes it: created, or changed where it differs (docs/decisions/0064)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from uuid import UUID

from app.core.errors import NotFound
from app.models import Test, TestSection
from app.services.tests.catalog import find
from app.services.tests.drafts import SectionDraft, TestDraft, TestUpdate, change, create
from app.services.tests.previewing import pending_draft
from app.services.unit_of_work import Reading, UnitOfWork
from app.services.users import Principal


@dataclass(frozen=True, slots=True)
class AppliedTest:
    """What became of a test. `changed` names the fields that were different; None if the test is new."""

    test_id: UUID
    changed: Sequence[str] | None


async def lock_tests(uow: UnitOfWork, author: Principal, references: Iterable[str]) -> None:
    """Lock the tests that have these references, before their questions are imported.

    Of two commands with the same file, the second one waits here and then finds the test of the first.
    """
    await uow.questions.lock_bank(author.institute_id)
    await lock_known_tests(uow, author, references)


async def lock_known_tests(uow: UnitOfWork, author: Principal, references: Iterable[str]) -> None:
    """Lock the tests that have these references. The caller has locked the bank of the institute."""
    found = [await with_reference(uow, author, each) for each in references]
    for test_id in sorted(each for each in found if each is not None):
        await uow.tests.draft(author.institute_id, test_id, lock=True)


async def apply_draft(uow: UnitOfWork, author: Principal, draft: TestDraft) -> AppliedTest:
    """Make the test with the draft's reference what the draft says. The caller has called `lock_tests`."""
    test_id = await with_reference(uow, author, draft.reference or "")
    if test_id is None:
        return AppliedTest((await create(uow, author, draft)).id, None)
    current = _draft_of(await uow.tests.draft(author.institute_id, test_id))
    # The window for objections is no part of the file.
    names = {each.name for each in fields(TestUpdate)} - {"objections"}
    different = {name: getattr(draft, name) for name in names if getattr(draft, name) != current[name]}
    if different:
        await change(uow, author, test_id, TestUpdate(**different))
    return AppliedTest(test_id, sorted(different))


async def with_reference(reads: Reading, author: Principal, reference: str) -> UUID | None:
    """The test that a file knows by this reference."""
    return await reads.tests.with_reference(author.institute_id, reference)


async def named(reads: Reading, author: Principal, name: str) -> UUID:
    """The test with this reference or id. Raises NotFound."""
    if (test_id := await with_reference(reads, author, name)) is not None:
        return test_id
    try:
        test_id = UUID(name)
    except ValueError:
        raise NotFound("test") from None
    return (await reads.tests.draft(author.institute_id, test_id)).id


async def is_unpublished(reads: Reading, author: Principal, test_id: UUID, now: datetime) -> bool:
    """Whether the test has a draft that differs from what candidates are served."""
    listed = await find(reads, author, test_id, now)
    return listed.test.status != "published" or await pending_draft(reads, author, listed) is not None


def _draft_of(test: Test) -> dict[str, object]:
    """The fields of `TestUpdate` as the test has them."""
    values = {each.name: getattr(test, each.name) for each in fields(TestUpdate)}
    return values | {"sections": [_section_of(section) for section in test.sections]}


def _section_of(section: TestSection) -> SectionDraft:
    return SectionDraft(
        name=section.name,
        question_ids=[place.question_id for place in section.questions],
        duration_seconds=section.duration_seconds,
        locked=section.locked,
        choose=section.choose,
        minimum_marks=section.minimum_marks,
        marking=section.marking,
        question_marking={
            place.question_id: place.marking for place in section.questions if place.marking is not None
        },
    )
