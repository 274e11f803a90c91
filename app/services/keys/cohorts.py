"""Who is ranked together by the keys of a revision (docs/decisions/0054).

A paper whose new key makes its marking that of another version joins the cohort of that one.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID, uuid5

from app.services.keys.changes import RevisedPaper
from app.services.tests.cohorts import marking_fingerprint
from app.services.unit_of_work import Reading


async def cohorts_after(reads: Reading, test_id: UUID, revised: Sequence[RevisedPaper]) -> dict[UUID, UUID]:
    """The cohort that each paper's new key would have, by paper. A new one gets an id for this dry run."""
    found = {}
    for each in revised:
        fingerprint = marking_fingerprint(each.paper.rules, each.key)
        known = await reads.keys.cohort_with(test_id, fingerprint)
        found[each.paper.id] = known or uuid5(test_id, fingerprint)
    return found


async def cohort_changes(
    reads: Reading, test_id: UUID, after: Mapping[UUID, UUID]
) -> Sequence[Mapping[str, Any]]:
    """The versions of the paper that would be ranked with other versions than now, as the impact has them."""
    current = await reads.keys.cohorts(test_id)
    before = {version: cohort_id for version, (_, cohort_id) in current.items()}
    new = {version: after.get(paper_id, cohort_id) for version, (paper_id, cohort_id) in current.items()}
    changes = [
        {"version": version, "before": _others(before, version), "after": _others(new, version)}
        for version in before
    ]
    return [change for change in changes if change["before"] != change["after"]]


def _others(cohorts: Mapping[int, UUID], version: int) -> list[int]:
    return [
        other for other, cohort_id in cohorts.items() if cohort_id == cohorts[version] and other != version
    ]
