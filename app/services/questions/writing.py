"""The last part of an import: what was planned is written, and compared with what was there."""

from app.services.questions.images import SheetImages
from app.services.questions.plans import QuestionImportPlan
from app.services.questions.reading import ImportStage
from app.services.questions.similarity import Similar, nearest
from app.services.questions.syllabus import Syllabus
from app.services.unit_of_work import UnitOfWork
from app.sheets.progress import ReportProgress
from app.sheets.reports import MAX_REPORTED, ImportReport, RowWarning

VERY_SIMILAR = 0.8
# To make a statement's parameters is the event loop's own work: in parts, so that others have their turn.
_AT_ONCE = 500


async def written(
    uow: UnitOfWork,
    syllabus: Syllabus,
    plan: QuestionImportPlan,
    sheet_images: SheetImages,
    progress: ReportProgress,
) -> ImportReport:
    """Write a plan, and say what was done and what should be looked at."""
    await syllabus.save(uow)
    await _write(uow, plan, progress)
    return ImportReport(
        created=len(plan.questions),
        updated=len(plan.changes),
        unchanged=len(plan.question_ids) - len(plan.questions) - len(plan.changes),
        updated_columns=plan.updated_columns,
        warnings=[*_unused(sheet_images), *plan.warnings, *await _warnings(uow, plan, progress)],
        passages_created=len(plan.passages),
        passages_updated=len(plan.passage_changes),
        item_ids=plan.question_ids,
        item_rows=[plan.row_of[question_id] for question_id in plan.question_ids],
        items_in_test=plan.in_test,
    )


async def _write(uow: UnitOfWork, plan: QuestionImportPlan, progress: ReportProgress) -> None:
    of = len(plan.questions) + len(plan.next_versions) + len(plan.changes)
    done = 0
    await uow.passages.write(plan.passages, plan.passage_versions, plan.passage_changes)
    for start in range(0, max(len(plan.questions), len(plan.changes)), _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        await uow.questions.add(plan.questions[part], plan.first_versions[part])
        await uow.questions.add_versions(plan.next_versions[part])
        await uow.questions.change(plan.changes[part])
        done += len(plan.questions[part]) + len(plan.next_versions[part]) + len(plan.changes[part])
        progress(ImportStage.WRITING, done, of)


def _unused(sheet_images: SheetImages) -> list[RowWarning]:
    return [RowWarning(1, "images", sheet_images.unused)] if sheet_images.unused else []


async def _warnings(uow: UnitOfWork, plan: QuestionImportPlan, progress: ReportProgress) -> list[RowWarning]:
    """What an author should look at, in the order of the rows; of very much the first part will do."""
    if not plan.question_ids:
        return [RowWarning(1, "file", "the sheet has a header and no questions")]
    reworded = sorted(plan.reworded, key=plan.row_of.__getitem__)
    warnings: list[RowWarning] = []
    done = 0
    async for compared in nearest(uow, plan.institute_id, reworded, VERY_SIMILAR):
        warnings += (_very_similar(plan, pair) for pair in compared.found)
        done += compared.questions
        progress(ImportStage.COMPARING, done, len(reworded))
        if len(warnings) >= MAX_REPORTED and done < len(reworded):
            last = plan.row_of[reworded[done - 1]]
            message = "so many rows are very similar to others that those after this one were not compared"
            return [*warnings, last.warning("file", message)]
    return warnings


def _very_similar(plan: QuestionImportPlan, pair: Similar) -> RowWarning:
    row = plan.row_of.get(pair.other_id)
    other = "another question of the bank" if row is None else f"the question in {row}"
    message = f"very similar to {other} ({pair.similarity:.0%})"
    related = pair.other_id if row is None else None
    return plan.row_of[pair.question_id].warning("question", message, related)
