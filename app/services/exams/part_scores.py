"""Scores of sections and subjects in an exam, for tie-breaks and for qualifying percentages of sections."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from uuid import UUID

from app.engine.marks import printed
from app.engine.merit import JudgedSection
from app.engine.part_scores import MarkedParts, Part, PartScore
from app.engine.scoring import PaperKey
from app.engine.tie_breaks import Chain, Scope, scopes_of
from app.models import Exam, ExamPaper, LocalizedText
from app.repositories.exams import StoredExamResult, SubjectPart
from app.services.components import Components
from app.services.exams.ranking_rules import SectionNames, is_named
from app.services.unit_of_work import Reading

_NamedPart = tuple[LocalizedText, Sequence[int]]
"""The name of a section or subject, and the positions of its questions, counted from 0."""


@dataclass(frozen=True, slots=True)
class PartScores:
    """Scores by registration.

    `exact` is for tie-breaks, `sections` for qualifying percentages.
    """

    exact: dict[UUID, dict[Scope, PartScore]] = field(default_factory=dict)
    sections: dict[tuple[UUID, UUID], Mapping[UUID, JudgedSection]] = field(default_factory=dict)
    """By registration and exam paper, the score of each section that has percentages."""


async def part_scores(
    reads: Reading,
    parts: Components,
    exam: Exam,
    papers: Sequence[ExamPaper],
    keys: Mapping[UUID, PaperKey],
    chain: Chain,
    names: SectionNames,
) -> PartScores:
    """The scores of the parts that the exam's settings name, each by the key that marked it.

    Returns no scores, and reads nothing, if the settings name no part.
    """
    scopes, found = scopes_of(chain), PartScores()
    if not scopes and not any(paper.section_percents for paper in papers):
        return found
    versions = [paper.paper_id for paper in papers if paper.paper_id is not None]
    subjects = await reads.marked_sheets.subjects(versions)
    divisions = {
        paper.id: _Division(paper, _codes(paper, papers), keys[paper.id], scopes, names, subjects)
        for paper in papers
        if paper.paper_id is not None
    }
    marked_by = {
        key_id: (await parts.papers.key(reads, key_id)).rules
        for key_id in await reads.marked_sheets.key_ids(exam.id)
    }
    async for results in reads.marked_sheets.of_exam(exam.id):
        await asyncio.to_thread(_add_all, found, divisions, marked_by, results)
    return found


def _codes(paper: ExamPaper, papers: Sequence[ExamPaper]) -> set[str]:
    """The codes that mean the paper: its own, and those of the other sessions of its group."""
    group = paper.session_group
    return {paper.code, *(other.code for other in papers if group and other.session_group == group)}


def _add_all(
    found: PartScores,
    divisions: Mapping[UUID, "_Division"],
    marked_by: Mapping[UUID, PaperKey],
    results: Sequence[StoredExamResult],
) -> None:
    for result in results:
        divisions[result.paper_id].add(found, result, marked_by[result.key_id])


class _Division:
    """The parts of one paper whose scores are wanted."""

    def __init__(
        self,
        paper: ExamPaper,
        codes: set[str],
        key: PaperKey,
        scopes: set[Scope],
        names: SectionNames,
        subjects: Mapping[UUID, Sequence[SubjectPart]],
    ) -> None:
        assert paper.paper_id is not None  # noqa: S101 -- the caller leaves papers without a version out
        sections = _sections(names[paper.paper_id], key)
        self._sections = {
            section_id: Part(positions)
            for section_id, (name, positions) in sections.items()
            if any(is_named(name, wanted) for wanted in paper.section_percents)
        }
        by_subject = [(part.name, part.positions) for part in subjects.get(paper.paper_id, ())]
        self._scopes = _scope_parts(
            {scope for scope in scopes if _counts(paper, codes, scope)},
            list(sections.values()),
            by_subject,
            range(len(key.items)),
        )

    def add(self, found: PartScores, result: StoredExamResult, key: PaperKey) -> None:
        """Add the scores of one result, which this key has marked."""
        marked = MarkedParts(result.outcomes, result.marks, key.factor / result.marks_denominator)
        exact = found.exact.setdefault(result.registration_id, {})
        for scope, part in self._scopes.items():
            score = part.score(marked)
            exact[scope] = exact[scope] + score if scope in exact else score
        if self._sections:
            found.sections[result.registration_id, result.paper_id] = {
                section_id: _judged(key, section_id, Fraction(part.raw(marked), result.marks_denominator))
                for section_id, part in self._sections.items()
            }


def _judged(key: PaperKey, section_id: UUID, raw: Fraction) -> JudgedSection:
    shown = printed(raw, key.factor, key.rounding)
    return JudgedSection(raw * key.factor, Decimal(shown), key.maximum_of[section_id])


def _sections(names: Mapping[UUID, LocalizedText], key: PaperKey) -> Mapping[UUID, _NamedPart]:
    """The name of each section, and the positions of its questions."""
    positions: dict[UUID, list[int]] = {section_id: [] for section_id in names}
    for position, item in enumerate(key.items):
        positions[item.section_id].append(position)
    return {section_id: (name, positions[section_id]) for section_id, name in names.items()}


def _counts(paper: ExamPaper, codes: Collection[str], scope: Scope) -> bool:
    return paper.counts_for_merit if scope.paper is None else scope.paper in codes


def _scope_parts(
    scopes: Collection[Scope],
    sections: Sequence[_NamedPart],
    subjects: Sequence[_NamedPart],
    whole: Sequence[int],
) -> Mapping[Scope, Part]:
    """The questions of each scope. Scopes without any are left out."""
    found = {}
    for scope in scopes:
        if scope.section is not None:
            parts = [positions for name, positions in sections if is_named(name, scope.section)]
        elif scope.subject is not None:
            parts = [positions for name, positions in subjects if is_named(name, scope.subject)]
        else:
            parts = [whole]
        if positions := sorted(position for part in parts for position in part):
            found[scope] = Part(positions)
    return found
