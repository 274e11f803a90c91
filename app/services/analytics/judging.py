"""Estimates for a candidate from a set of attempts: decisions, strengths in subjects, chances at cut-offs.

Computing them takes milliseconds, so each process caches the most recently used results by a digest of their
inputs.
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

MAX_KEPT_ESTIMATES = 2000
"""The maximum number of cached results. Each takes about 10 KB."""
_NOT_CALIBRATED = (nan, nan, nan)


@dataclass(frozen=True, slots=True)
class Estimates:
    """The estimates for a candidate. Requests share this object, so nobody may change it."""

    judgement: Judgement
    cutoffs: Sequence[CutoffChance]


_kept: KeptResults[Estimates] = KeptResults(MAX_KEPT_ESTIMATES)


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
    """A digest of all inputs. Keys and papers never change, so their ids stand for their content."""
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
