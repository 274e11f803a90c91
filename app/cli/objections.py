"""Objections to the keys of an exam, for `ias exam objections`."""

import json
import shutil
from pathlib import Path

from app.engine.question_types import shown_key
from app.repositories.base import PageRequest
from app.repositories.objections import ClusterFilter
from app.services import exams, objections
from app.services.components import Components
from app.services.exams import DetailedPaper
from app.services.objections import ClusterView
from app.services.unit_of_work import UnitOfWork
from app.services.users import operator
from app.sheets.writers import SheetFormat


async def list_clusters(uow: UnitOfWork, parts: Components, exam: str) -> list[str]:
    """A line for each claimed key: the question, the key, how many objections, and the decision."""
    lines = []
    for paper in await _papers(uow, parts, exam):
        request: PageRequest | None = PageRequest(100)
        while request is not None:
            test_id = paper.view.paper.test_id
            page = await objections.clusters(uow, parts, operator(), test_id, ClusterFilter(), request)
            lines += [_line(paper, each) for each in page.items]
            request = PageRequest(100, page.next_cursor) if page.next_cursor else None
    return lines or ["no objections"]


async def write_sheets(uow: UnitOfWork, parts: Components, exam: str, file: Path, suffix: str) -> list[str]:
    """Write a sheet of objections for each paper, `NAME-CODE.csv` for `NAME.csv`. `suffix` is the format."""
    written = []
    for paper in await _papers(uow, parts, exam):
        target = file.with_stem(f"{file.stem}-{paper.view.paper.code}")
        test_id, wanted = paper.view.paper.test_id, SheetFormat(suffix)
        with (
            await objections.objection_sheet(uow, parts, operator(), test_id, wanted) as sheet,
            target.open("wb") as out,
        ):
            shutil.copyfileobj(sheet, out)
        written.append(f"{target}: written")
    return written


async def _papers(uow: UnitOfWork, parts: Components, exam: str) -> list[DetailedPaper]:
    exam_id = await exams.named(uow, operator(), exam)
    return list(await exams.papers(uow, operator(), exam_id, parts.clock.now()))


def _line(paper: DetailedPaper, view: ClusterView) -> str:
    cluster = view.cluster
    decision = {None: "open", True: "accepted", False: "rejected"}[cluster.accepted]
    claimed = json.dumps(shown_key(cluster.claimed_key), ensure_ascii=False)
    question = f"{paper.view.paper.code} question {cluster.number}"
    return f"{question}: {claimed}, objections {view.objections}, {decision}"
