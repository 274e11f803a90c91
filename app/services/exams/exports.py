"""An exam as one file from which anybody can compute its results again (docs/disputes.md).

JSON, a document in each line: the exam with its papers, marks and keys, and then each candidate.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from tempfile import SpooledTemporaryFile
from typing import IO, Any
from uuid import UUID

import orjson

from app.engine.question_types import shown_key
from app.models import Exam, ExamPaper, ExamRelease, KeyVersion
from app.repositories.exams import ExportedCandidate
from app.services.components import Components
from app.services.exams.audit import record
from app.services.exams.catalog import exam_viewer, require_team
from app.services.exams.merit_lists import MAX_MEMORY_BYTES
from app.services.exams.results import released_exam
from app.services.tests.papers import FrozenPaper
from app.services.unit_of_work import Reading
from app.services.users import Principal

JsonObject = Mapping[str, Any]
_OF_A_PAPER = ("code", "score", "score_exact", "normalized", "qualified", "rank", "percentile")


async def export(reads: Reading, parts: Components, staff: Principal, exam_id: UUID) -> IO[bytes]:
    """The exam, and the candidates of its current release by roll number. The caller closes the file.

    For the team of the exam: it has the keys and everybody's answers. `reads` must read one snapshot, so that
    all lines are of one version of the keys.
    """
    require_team(await reads.exams.find(exam_viewer(staff), exam_id), staff)
    exam = await released_exam(reads, staff, exam_id)
    papers = await reads.exams.papers(exam.id)
    frozen = {
        paper.id: await parts.papers.get(reads, paper.paper_id)
        for paper in papers
        if paper.paper_id is not None
    }
    keys = await reads.exam_exports.keys([each.id for each in frozen.values()])
    release = await reads.exam_results.release(exam)
    assert release is not None  # noqa: S101 -- a released exam has a release
    written = 0
    with ExitStack() as on_error:
        file = on_error.enter_context(SpooledTemporaryFile(MAX_MEMORY_BYTES))
        _write(file, [_exam(exam, release, [_paper(paper, frozen[paper.id], keys) for paper in papers])])
        async for candidates in reads.exam_exports.candidates(exam):
            await asyncio.to_thread(_write, file, map(_candidate, candidates))
            written += len(candidates)
        record(reads, staff, "export_exam", exam, version=exam.results_version, rows=written)
        file.seek(0)
        on_error.pop_all()  # From here on the caller closes the file.
        return file


def _write(file: IO[bytes], documents: Iterable[JsonObject]) -> None:
    for document in documents:
        file.write(orjson.dumps(document, option=orjson.OPT_APPEND_NEWLINE))


def _exam(exam: Exam, release: ExamRelease, papers: Sequence[JsonObject]) -> JsonObject:
    return {
        "exam_id": str(exam.id),
        "title": exam.title,
        "results_version": exam.results_version,
        "cutoffs": exam.cutoffs,
        "normalization": exam.normalization,
        "tie_breaks": release.tie_breaks,
        "percentile_definition": release.percentile_definition,
        "papers": papers,
    }


def _paper(paper: ExamPaper, frozen: FrozenPaper, keys: Sequence[KeyVersion]) -> JsonObject:
    rules = frozen.rules
    sections = [
        {
            "choose": section["choose"],
            "minimum_marks": section.get("minimum_marks"),
            "question_ids": section["question_ids"],
        }
        for section in rules["sections"]
    ]
    questions = [
        {"number": number, "id": entry["id"], "type": entry["type"], "marks": entry["marks"]}
        for number, entry in enumerate(rules["questions"], start=1)
    ]
    return {
        "code": paper.code,
        "counts_for_merit": paper.counts_for_merit,
        "session_group": paper.session_group,
        "qualifying_percent": _text(paper.qualifying_percent),
        "group_percents": paper.group_percents,
        "section_percents": paper.section_percents,
        "dropped": rules["dropped"],
        "rounding": rules["rounding"],
        "most_unmarked_percent": _text(rules.get("most_unmarked_percent")),
        "sections": sections,
        "questions": questions,
        "keys": [_key(key, rules) for key in keys if key.paper_id == frozen.id],
    }


def _key(version: KeyVersion, rules: JsonObject) -> JsonObject:
    """A version of the key, in the order of the paper."""
    ids = [entry["id"] for entry in rules["questions"]]
    return {
        "number": version.number,
        "reason": version.reason,
        "answers": [shown_key(version.key[question_id]["key"]) for question_id in ids],
    }


def _candidate(exported: ExportedCandidate) -> JsonObject:
    result, marked = exported.result, exported.marked or {}
    papers = [
        {name: paper.get(name) for name in _OF_A_PAPER} | marked[paper["paper_id"]]
        for paper in result.papers
        if paper["paper_id"] in marked
    ]
    return {
        "roll_number": result.roll_number,
        "category": exported.category,
        "pwbd": exported.pwbd,
        "outcome": result.outcome,
        "total": result.total,
        "rank": result.rank,
        "category_rank": result.category_rank,
        "pwbd_rank": result.pwbd_rank,
        "percentile": result.percentile,
        "cutoff": result.cutoff,
        "papers": papers,
    }


def _text(value: Any) -> str | None:
    return str(value) if value is not None else None
