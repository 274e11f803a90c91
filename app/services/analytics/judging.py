"""What the answers of some attempts say of a candidate: decisions, subjects and chances of cut-offs.

It takes milliseconds of numpy and is a function of the answers, keys and parameters, so that it is computed
once for each candidate who comes back to an unchanged overview.
"""

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import chain
from math import nan
from uuid import UUID

from app.core.kept_results import KeptResults
from app.repositories.analytics.shown import PaperQuestions, ShownAttempt
from app.services.analytics import evidence
from app.services.analytics.cutoffs import CutoffChance, cutoff_chances
from app.services.analytics.estimates import Judgement, judge
from app.services.components import Components
from app.services.unit_of_work import Reading

MOST_KEPT = 2000
"""About 10 KB each."""
_NOT_CALIBRATED = (nan, nan, nan)


@dataclass(frozen=True, slots=True)
class Estimates:
    """The estimates of a candidate. It is shared between requests."""

    judgement: Judgement
    cutoffs: Sequence[CutoffChance]


_kept: KeptResults[Estimates] = KeptResults(MOST_KEPT)


async def estimate(
    reads: Reading, parts: Components, attempts: Sequence[ShownAttempt], category: str
) -> Estimates:
    """The estimates from these shown attempts, the latest last."""
    questions = await reads.shown.questions({each.paper_id for each in attempts}) if attempts else {}

    async def compute() -> Estimates:
        record = await evidence.gather(reads, parts, attempts, questions)
        cutoffs = await cutoff_chances(category, record.papers, record.curves)
        return Estimates(await judge(record.answers), cutoffs)

    return await _kept.get(digest_of(attempts, questions, category), compute)


def digest_of(
    attempts: Sequence[ShownAttempt], questions: Mapping[UUID, PaperQuestions], category: str
) -> bytes:
    """A digest of all that the estimates depend on. Keys and papers never change, so that ids name them."""
    digest = blake2b(category.encode(), digest_size=16)
    for each in attempts:
        confidence = each.figures.confidence if each.figures else ""
        texts = each.outcomes, confidence, str(each.may_review)
        digest.update(each.key_id.bytes + each.paper_id.bytes + "\n".join(texts).encode())
        paper = questions[each.paper_id]
        digest.update(b"".join([subject.bytes for subject in paper.subjects]))
        curves = chain.from_iterable(curve or _NOT_CALIBRATED for curve in paper.curves)
        digest.update(array("d", curves).tobytes())
    return digest.digest()
