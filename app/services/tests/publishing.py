"""Publishing: a draft becomes the next frozen paper version (docs/decisions/0013)."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from app.core.errors import FieldError, NotPublishable
from app.core.revision_errors import KeyRevisionRunning
from app.models import KeyVersion, Paper, Test
from app.services import audit, embargo
from app.services.audit import AuditSubject
from app.services.tests.cohorts import cohort_of
from app.services.tests.compiling import compile_paper, gather, next_version
from app.services.tests.readiness import (
    KeptQuestion,
    kept_questions,
    language_gaps,
    obstacles,
    prevailing_gaps,
)
from app.services.tests.suspicious_keys import suspicious_keys
from app.services.unit_of_work import UnitOfWork
from app.services.users import Principal


@dataclass(frozen=True, slots=True)
class PublishedPaper:
    """A test and its new paper. `gaps` lists texts that are missing in a language of the test.

    `ranked_with` has the older versions whose attempts are ranked together with those of the new one.
    """

    test: Test
    paper: Paper
    ranked_with: Sequence[int]
    gaps: Sequence[FieldError] = field(default_factory=list)
    kept: Sequence[KeptQuestion] = ()
    """The questions whose options are not all shuffled."""
    warnings: Sequence[FieldError] = ()
    """Keys to look at."""


async def publish(
    uow: UnitOfWork, author: Principal, test_id: UUID, now: datetime, *, ranked_with: int | None = None
) -> PublishedPaper:
    """Freeze the draft as the next paper version. Running attempts keep the version they began with.

    Attempts at versions with the same marking are ranked together. `ranked_with` names an older version that
    this one joins although its marking differs. Raises NotPublishable with all errors at once, Invalid if
    there is no such version, or KeyRevisionRunning: a revision would also change a version that its dry run
    did not have, or could not be carried out at all.
    """
    test = await uow.tests.draft(author.institute_id, test_id, lock=True)
    await embargo.check_visible(uow, author, test_id)
    if (running := await uow.key_revisions.publishing(test.id)) is not None:
        raise KeyRevisionRunning(running.number)
    published = await freeze(uow, author, test, now, ranked_with=ranked_with)
    merged: dict[str, Any] = {"ranked_with": ranked_with} if ranked_with is not None else {}
    version = published.paper.version
    audit.record(uow, author, "publish", AuditSubject("test", test.id), version=version, **merged)
    return published


async def freeze(
    uow: UnitOfWork, author: Principal, test: Test, now: datetime, *, ranked_with: int | None = None
) -> PublishedPaper:
    """Publish a test that the caller has locked or created. See `publish`."""
    material = await gather(uow, test)
    withheld = await embargo.withheld(uow, author, list(material.bank))
    if found := obstacles(material, withheld):
        raise NotPublishable("The test cannot be published yet.", errors=found)
    if missing := prevailing_gaps(material):
        raise NotPublishable("Texts are missing in the prevailing language.", errors=missing)

    compiled = compile_paper(material, next_version(test))
    paper = compiled.paper
    paper.published_by = author.author_id
    cohort_id = await cohort_of(uow, test, compiled.fingerprint, ranked_with)
    older = await uow.keys.versions_in(test.id, cohort_id)
    key = KeyVersion(
        key=compiled.key,
        fingerprint=compiled.fingerprint,
        cohort_id=cohort_id,
        created_by=author.author_id,
    )
    await uow.tests.add_paper(paper, key, list(material.images))
    test.paper_version = paper.version
    test.status = "published"
    test.updated_at = now
    await uow.tests.flush()
    return PublishedPaper(
        test,
        paper,
        older,
        language_gaps(material),
        kept_questions(material),
        suspicious_keys(material),
    )
