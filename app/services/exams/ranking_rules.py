"""How an exam ranks: what its settings name must be in its papers, and what the engine takes."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from uuid import UUID

from app.core.errors import FieldError, Invalid
from app.engine.merit import ExamPaperRule
from app.engine.qualifying_shares import QualifyingShares
from app.engine.scoring import PaperKey
from app.engine.tie_breaks import Chain, Scope, chain_of
from app.models import Exam, ExamPaper, LocalizedText
from app.sentences import Sentence
from app.services.unit_of_work import Reading

EVERYBODY = "all"
"""In percentages of a section: the group of everybody without a percentage of the category."""

SectionNames = Mapping[UUID, Mapping[UUID, LocalizedText]]
"""The names of sections by id, by paper version."""


def chain_of_exam(exam: Exam, papers: Sequence[ExamPaper]) -> Chain:
    """The criteria by which the exam orders candidates with equal totals.

    The code of one session means all sessions of its group.
    """
    merit = {paper.session_group or paper.code: paper.code for paper in papers if paper.counts_for_merit}
    return chain_of(exam.tie_breaks, list(merit.values()))


async def section_names(reads: Reading, exam: Exam, papers: Sequence[ExamPaper]) -> SectionNames:
    """The names of the sections of all papers; empty if no setting of the exam needs them."""
    if exam.tie_breaks == "none" and not any(paper.section_percents for paper in papers):
        return {}
    return await reads.marked_sheets.sections([paper.paper_id for paper in papers if paper.paper_id])


def is_named(name: LocalizedText, wanted: str | None) -> bool:
    """Whether a section or a subject has this name in any language."""
    return wanted in name.values()


def paper_rules(
    papers: Sequence[ExamPaper], keys: Mapping[UUID, PaperKey], sections: SectionNames
) -> list[ExamPaperRule]:
    """How each paper counts."""
    return [_paper_rule(paper, keys[paper.id], _names(paper, sections)) for paper in papers]


def _paper_rule(paper: ExamPaper, key: PaperKey, names: Mapping[UUID, LocalizedText]) -> ExamPaperRule:
    rules = {
        section_id: _section_shares(percents)
        for section_name, percents in paper.section_percents.items()
        for section_id, name in names.items()
        if is_named(name, section_name)
    }
    by_group = {group: Decimal(share) for group, share in paper.group_percents.items()}
    shares = QualifyingShares(paper.qualifying_percent, by_group)
    return ExamPaperRule(
        paper.id, paper.counts_for_merit, key.max_score, shares, rules, has_minimum=bool(key.minimum_of)
    )


def _section_shares(percents: Mapping[str, str]) -> QualifyingShares:
    shares = {group: Decimal(percent) for group, percent in percents.items()}
    return QualifyingShares(shares.pop(EVERYBODY, None), shares)


def _names(paper: ExamPaper, sections: SectionNames) -> Mapping[UUID, LocalizedText]:
    return sections.get(paper.paper_id, {}) if paper.paper_id is not None else {}


async def check(reads: Reading, exam: Exam, papers: Sequence[ExamPaper]) -> None:
    """Raise Invalid if the settings of a published exam name what its papers do not have."""
    if errors := await obstacles(reads, exam, papers, [paper.paper_id for paper in papers]):
        raise Invalid("The exam cannot be ranked so.", errors=errors)


async def obstacles(
    reads: Reading, exam: Exam, papers: Sequence[ExamPaper], pinned: Sequence[UUID | None]
) -> list[FieldError]:
    """What the settings of an exam name and the versions of its papers do not have."""
    versions = [version for version in pinned if version is not None]
    sections = await reads.marked_sheets.sections(versions)
    errors = []
    for number, (paper, version) in enumerate(zip(papers, pinned, strict=True)):
        names = sections.get(version, {}).values() if version is not None else ()
        errors += [
            FieldError(f"papers.{number}.section_percents", _no_section(paper.code, wanted))
            for wanted in paper.section_percents
            if not any(is_named(name, wanted) for name in names)
        ]
    by_code = {
        paper.code: list(sections.get(version, {}).values()) if version is not None else []
        for paper, version in zip(papers, pinned, strict=True)
    }
    subjects = await reads.marked_sheets.subjects(versions)
    known = [part.name for parts in subjects.values() for part in parts]
    found = (_problem(each.scope, by_code, known) for each in chain_of_exam(exam, papers))
    return errors + [FieldError("tie_breaks", sentence) for sentence in dict.fromkeys(found) if sentence]


def _problem(
    scope: Scope, sections: Mapping[str, Sequence[LocalizedText]], subjects: Sequence[LocalizedText]
) -> str | None:
    """Why the exam has nothing of this scope; None if it has."""
    if scope.paper is not None and scope.paper not in sections:
        return Sentence("The exam has no paper {code}. Name one of its papers.", code=scope.paper)
    if scope.section is not None and not any(
        is_named(name, scope.section) for name in sections[scope.paper or ""]
    ):
        return _no_section(scope.paper or "", scope.section)
    if scope.subject is not None and not any(is_named(name, scope.subject) for name in subjects):
        return Sentence(
            "No question of the exam is of the subject {subject}. Name a subject as the bank does.",
            subject=scope.subject,
        )
    return None


def _no_section(code: str, section: str) -> str:
    template = "Paper {code} has no section {section}. Name a section as the test does."
    return Sentence(template, code=code, section=section)
