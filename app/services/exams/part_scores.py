"""Scores of sections and subjects in an exam, for tie-breaks and for qualifying percentages of sections."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from uuid import UUID

from app.engine.marks import printed
from app.engine.part_scores import MarkedSheet, Part, PartScore
from app.engine.scoring import PaperKey
from app.engine.tie_breaks import Chain, Scope, scopes_of
from app.models import Exam, ExamPaper
from app.repositories.exams import StoredSheet, SubjectPart
from app.services.exams.ranking_rules import SectionNames, is_named
from app.services.unit_of_work import Reading


@dataclass(frozen=True, slots=True)
class PartScores:
    """Scores by registration. Exact ones are those that tie-breaks compare; sections print their own."""

    exact: dict[UUID, dict[Scope, PartScore]] = field(default_factory=dict)
    sections: dict[tuple[UUID, UUID], Mapping[UUID, Decimal]] = field(default_factory=dict)
    """By registration and exam paper, the printed score of each section that has percentages."""


async def part_scores(
    reads: Reading,
    exam: Exam,
    papers: Sequence[ExamPaper],
    keys: Mapping[UUID, PaperKey],
    chain: Chain,
    names: SectionNames,
) -> PartScores:
    """The scores of the parts that the exam's settings name. Without any it reads nothing."""
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
    async for sheets in reads.marked_sheets.of_exam(exam.id):
        await asyncio.to_thread(_add_all, found, divisions, sheets)
    return found


def _codes(paper: ExamPaper, papers: Sequence[ExamPaper]) -> set[str]:
    """The codes that mean the paper: its own, and those of the other sessions of its group."""
    group = paper.session_group
    return {paper.code, *(other.code for other in papers if group and other.session_group == group)}


def _add_all(found: PartScores, divisions: Mapping[UUID, "_Division"], sheets: Sequence[StoredSheet]) -> None:
    for sheet in sheets:
        divisions[sheet.paper_id].add(found, sheet)


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
        self._key = key
        sections = names[paper.paper_id]
        places: dict[UUID, list[int]] = {section_id: [] for section_id in sections}
        for place, item in enumerate(key.items):
            places[item.section_id].append(place)
        self._sections = {
            section_id: Part(places[section_id])
            for section_id, name in sections.items()
            if any(is_named(name, wanted) for wanted in paper.section_percents)
        }
        self._scopes: dict[Scope, Part] = {}
        for scope in scopes:
            if scope.section is not None:
                found = [places[id_] for id_, name in sections.items() if is_named(name, scope.section)]
            elif scope.subject is not None:
                parts = subjects.get(paper.paper_id, ())
                found = [list(part.places) for part in parts if is_named(part.name, scope.subject)]
            else:
                found = [list(range(len(key.items)))]
            counts = scope.paper in codes if scope.paper is not None else paper.counts_for_merit
            if counts and any(found):
                self._scopes[scope] = Part(sorted(place for part in found for place in part))

    def add(self, found: PartScores, sheet: StoredSheet) -> None:
        """Add the scores of one sheet."""
        marked = MarkedSheet(sheet.outcomes, sheet.marks, _unit(sheet, self._key))
        exact = found.exact.setdefault(sheet.registration_id, {})
        for scope, part in self._scopes.items():
            score = part.score(marked)
            exact[scope] = exact[scope] + score if scope in exact else score
        if self._sections:
            found.sections[sheet.registration_id, sheet.paper_id] = {
                section_id: self._printed(part.raw(marked), sheet.marks_denominator)
                for section_id, part in self._sections.items()
            }

    def _printed(self, marks: int, denominator: int) -> Decimal:
        return Decimal(printed(Fraction(marks, denominator), self._key.factor, self._key.rounding))


def _unit(sheet: StoredSheet, key: PaperKey) -> Fraction:
    """What one part of the sheet's marks is worth in its exact score."""
    if not sheet.raw_numerator:
        return key.factor / sheet.marks_denominator
    return Fraction(
        sheet.score_numerator * sheet.raw_denominator,
        sheet.score_denominator * sheet.raw_numerator * sheet.marks_denominator,
    )
