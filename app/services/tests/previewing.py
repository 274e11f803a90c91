"""Previews of drafts, and whether a draft differs from the published paper."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from app.core.errors import FieldError
from app.core.process_pool import ProcessPool
from app.models import Paper, Role, Test
from app.repositories.tests import ListedTest
from app.services import audit, embargo
from app.services.audit import AuditSubject
from app.services.tests.cohorts import marking_fingerprint
from app.services.tests.compiling import (
    Material,
    answer_key_of,
    document_of,
    gather,
    next_version,
    resolved_marks,
    rules_of,
    section_rules,
)
from app.services.tests.print_obstacles import formula_obstacles, languages_of_print, print_obstacles
from app.services.tests.readiness import (
    KeptQuestion,
    kept_questions,
    language_gaps,
    obstacles,
    prevailing_gaps,
)
from app.services.tests.suspicious_keys import suspicious_keys
from app.services.unit_of_work import Reading
from app.services.users import Principal


@dataclass(frozen=True, slots=True)
class Preview:
    """The candidates' document of a draft. The draft can be published if there are no `obstacles`."""

    document: dict[str, Any]
    obstacles: Sequence[FieldError]
    gaps: Sequence[FieldError]
    ranked_with: Sequence[int] | None
    """The versions whose attempts would be ranked together with those of this one. None with obstacles."""
    kept: Sequence[KeptQuestion]
    """The questions whose options would not all be shuffled."""
    print_obstacles: Sequence[FieldError]
    """What cannot be printed as it was typed. The draft can be published nevertheless."""
    warnings: Sequence[FieldError]
    """Keys to look at. None if questions are withheld from the author: they would tell of the keys."""


async def preview(reads: Reading, author: Principal, test_id: UUID) -> Preview:
    """The document that publishing would freeze, with everything that prevents publication."""
    test = await reads.tests.draft(author.institute_id, test_id)
    await embargo.check_visible(reads, author, test_id)
    material = await gather(reads, test)
    withheld = await embargo.withheld(reads, author, list(material.bank))
    if await reads.embargo.is_placed(test.id):
        audit.record(reads, author, "read_paper", AuditSubject("test", test.id), where="preview")
    found = [*obstacles(material, withheld), *prevailing_gaps(material)]
    document = document_of(material, next_version(test))
    return Preview(
        document=document,
        obstacles=found,
        gaps=language_gaps(material),
        ranked_with=None if found else await _ranked_with(reads, material),
        kept=kept_questions(material),
        print_obstacles=print_obstacles(document, {}, languages_of_print(document)),
        warnings=[] if withheld or found else suspicious_keys(material),
    )


async def key_warnings(reads: Reading, author: Principal, listed: ListedTest) -> Sequence[FieldError]:
    """The `warnings` of the preview. None of a test with questions under embargo: reading these is recorded.

    Only for who may read the bank.
    """
    if listed.test.is_personal or not author.is_any(Role.AUTHOR, Role.EVALUATOR):
        return []
    material = await gather(reads, await reads.tests.draft(author.institute_id, listed.test.id))
    is_held = bool(await audit.held_among(reads, list(material.bank)))
    withheld = await embargo.withheld(reads, author, list(material.bank))
    return [] if is_held or obstacles(material, withheld) else suspicious_keys(material)


async def with_formulas(preview: Preview, files: ProcessPool, author: Principal) -> Preview:
    """The preview, with the formulas that cannot be typeset. Call it outside transactions: it may wait."""
    languages = languages_of_print(preview.document)
    found = await formula_obstacles(preview.document, {}, languages, files, author)
    return replace(preview, print_obstacles=[*preview.print_obstacles, *found])


async def _ranked_with(reads: Reading, material: Material) -> Sequence[int]:
    fingerprint = marking_fingerprint(rules_of(material), answer_key_of(material))
    cohort_id = await reads.keys.cohort_with(material.test.id, fingerprint)
    return await reads.keys.versions_in(material.test.id, cohort_id) if cohort_id is not None else []


async def pending_draft(reads: Reading, user: Principal, listed: ListedTest) -> Test | None:
    """The draft of a test if it differs from the published paper, else None."""
    if listed.test.is_personal:
        return None
    draft = await reads.tests.draft(user.institute_id, listed.test.id)
    if listed.paper is None:
        return draft
    paper = await reads.tests.paper(listed.paper.id)
    return None if _composition_of(draft) == _composition_in(paper) else draft


def _composition_of(test: Test) -> dict[str, Any]:
    """The parts of a draft that publication freezes. Sections are compared by position."""
    return {
        **_texts_and_times(test),
        "shuffle": test.shuffle,
        "sections": [section_rules(section) for section in test.sections],
        "marks": [
            resolved_marks(test, section, place.marking)
            for section in test.sections
            for place in section.questions
        ],
    }


def _composition_in(paper: Paper) -> dict[str, Any]:
    rules = paper.rules
    return {
        **_texts_and_times(paper),
        "shuffle": rules["shuffle"],
        "sections": [
            {name: value for name, value in section.items() if name != "id"} for section in rules["sections"]
        ],
        "marks": [question["marks"] for question in rules["questions"]],
    }


def _texts_and_times(of: Test | Paper) -> dict[str, Any]:
    names = ("title", "description", "duration_seconds", "languages", "marking")
    return {name: getattr(of, name) for name in names}
