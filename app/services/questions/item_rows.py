"""Turns the items of other programs' formats into rows, which are imported as those of a sheet are."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from app.core.names import checked_lines, problem_of
from app.engine.question_types import DROPPED_KEY, LETTER_COLUMNS, NO_KEY, type_with
from app.interchange.items import Item, ItemFile, Place, Remark
from app.services.questions.columns import Columns
from app.services.questions.content import Content, problems_of
from app.services.questions.row_checks import row_warnings
from app.services.questions.rows import (
    DIFFICULTIES,
    MAX_CELL_LENGTH,
    MAX_IMAGES,
    MAX_LENGTHS,
    MAY_WAIT,
    STATUSES,
    EmptyKey,
    RowPassage,
    SheetRow,
    column_of_problem,
    tag_problems,
)
from app.sheets.parsing import ParsedSheet
from app.sheets.records import Record
from app.sheets.reports import ItemInTest, RowError, RowWarning

ItemRows = ParsedSheet[Columns, SheetRow]

_MAX_CATEGORIES = 2  # subject and chapter
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_DEVANAGARI = re.compile(r"[\u0900-\u097f]")
_LATIN = re.compile(r"[A-Za-z]{2}")


def rows_of(found: ItemFile, *, empty_key: EmptyKey, needs_subject: bool, skip_unsupported: bool) -> ItemRows:
    """Return the rows of a file, its errors, and what is to be looked at.

    Questions that the bank cannot hold are errors, or with `skip_unsupported` warnings.
    """
    items = [item for item in found.items if _fits(item)]
    unsupported = [*found.unsupported, *(_too_many(item) for item in found.items if not _fits(item))]
    sheet = ItemRows(_columns(items))
    sheet.errors += (_error(remark) for remark in found.errors)
    if skip_unsupported:
        sheet.warnings += (_warning(remark, "not imported: ") for remark in unsupported)
    else:
        sheet.errors += (_error(remark, _SKIP) for remark in unsupported)
    sheet.warnings += (_warning(remark, "not kept: ") for remark in found.not_kept)
    for item in items:
        row = _row(item, empty_key)
        problems = [*_problems(item, row, empty_key)]
        if needs_subject and row.subject is None:
            problems.append(("subject", "the question has no category; name the subject for the whole file"))
        if problems:
            sheet.errors += (RowError(row.row, field, what, str(item.place)) for field, what in problems)
        else:
            content = row.content
            sheet.rows.append(replace(row, content=content.normalized()))
    places = {item.place.number: item.place for item in items}
    sheet.warnings += [*_checked(sheet, places), *_in_another_language(items)]
    return sheet


def _in_another_language(items: Sequence[Item]) -> Iterator[RowWarning]:
    """A warning if texts that are taken for English are in Devanagari."""
    texts = [(item, item.text.get("en", "")) for item in items]
    hindi = [item for item, text in texts if _DEVANAGARI.search(text) and not _LATIN.search(text)]
    if hindi and 2 * len(hindi) > len(items):
        message = f"{len(hindi)} texts in Devanagari are taken for English; name their language, such as hi"
        yield RowWarning(hindi[0].place.number, "question", message, cell=str(hindi[0].place))


_SKIP = "; leave such questions out with `skip_unsupported`"


def _fits(item: Item) -> bool:
    """Whether sheets have columns for all options."""
    column_of = type_with(item.interaction).column_of
    return all(choice.id in column_of for choice in item.choices)


def _too_many(item: Item) -> Remark:
    most = len(LETTER_COLUMNS)
    return Remark(
        item.place, f"it has {len(item.choices)} options; at most {most} fit, in each list of a matching too"
    )


def _error(remark: Remark, mend: str = "") -> RowError:
    return RowError(remark.place.number, "file", remark.message + mend, str(remark.place))


def _warning(remark: Remark, what: str) -> RowWarning:
    return RowWarning(remark.place.number, "file", what + remark.message, cell=str(remark.place))


def _checked(sheet: ItemRows, places: Mapping[int, Place]) -> Iterator[RowWarning]:
    for warning in row_warnings(sheet.rows, sheet.layout, Record(1, [])):
        yield replace(warning, cell=str(places[warning.row]) if warning.row in places else None)


def _columns(items: Sequence[Item]) -> Columns:
    """The columns that a sheet with the same questions would have: all others are left as they are."""
    columns = Columns(0)
    for item in items:
        said = {
            "subject": item.categories,
            "chapter": item.categories[1:],
            "external_id": item.external_id,
            "difficulty": item.difficulty,
            "tags": item.tags,
            "status": item.status,
            "source": item.source,
            "number": item.source_number is not None,
            "image": item.images,
            "passage_id": item.passage,
            "fixed_options": any(choice.is_fixed for choice in item.choices),
        }
        columns.plain |= dict.fromkeys((name for name, value in said.items() if value), 0)
        column_of = type_with(item.interaction).column_of
        texts = [("question", item.text), ("explanation", item.explanation)]
        texts += [(column_of[choice.id], choice.text) for choice in item.choices]
        for column, text in texts:
            columns.texts.setdefault(column, {}).update(dict.fromkeys(text, 0))
    return columns


def _row(item: Item, empty_key: EmptyKey) -> SheetRow:
    kind = type_with(item.interaction)
    key = dict(item.key)
    if key == NO_KEY and kind.is_marked and empty_key is EmptyKey.DROPPED:
        key = dict(DROPPED_KEY)
    content = Content(
        type=kind.name,
        text=dict(item.text),
        options=[
            {"id": choice.id, "text": dict(choice.text), **({"fixed": True} if choice.is_fixed else {})}
            for choice in item.choices
        ],
        key=key,
        explanation=dict(item.explanation) or None,
        difficulty=item.difficulty,
        tags=list(item.tags),
    )
    subject, chapter = (*item.categories, None, None)[:_MAX_CATEGORIES]
    return SheetRow(
        row=item.place.number,
        content=content,
        status="draft" if _waits(item, content, empty_key) and item.status is None else item.status,
        subject=subject,
        chapter=chapter,
        external_id=item.external_id,
        source=item.source,
        number=item.source_number,
        passage=_passage(item),
        images=tuple(item.images),
        in_test=ItemInTest(languages=tuple(item.text)),
    )


def _passage(item: Item) -> RowPassage | None:
    if item.passage is None:
        return None
    return RowPassage(item.passage.external_id, dict(item.passage.text), tuple(item.passage.images))


def _waits(item: Item, content: Content, empty_key: EmptyKey) -> bool:
    """Whether the question may have its key later."""
    may_wait = item.status in MAY_WAIT or empty_key is EmptyKey.DRAFT
    return content.kind.is_marked and not content.has_key and may_wait


def _problems(item: Item, row: SheetRow, empty_key: EmptyKey) -> Iterator[tuple[str, str]]:
    """What is wrong with an item: columns of a sheet, and sentences."""
    yield from _problems_of_place(item, row)
    yield from (("tags", problem) for problem in tag_problems(item.tags))
    if item.difficulty is not None and item.difficulty not in DIFFICULTIES:
        yield "difficulty", f"write one of: {', '.join(DIFFICULTIES)}"
    if len(item.images) > MAX_IMAGES:
        yield "image", f"at most {MAX_IMAGES} images, each once"
    if unknown := sorted(language for language in item.languages if not _LANGUAGE.fullmatch(language)):
        yield "question", f'"{unknown[0][:20]}" is no language, such as en or hi'
    if not item.text:
        yield "question", "the question has no text"
        return
    texts = [item.text, item.explanation, *(choice.text for choice in item.choices)]
    if any(len(said) > MAX_CELL_LENGTH for text in texts for said in text.values()):
        yield "question", f"at most {MAX_CELL_LENGTH:,} characters fit into a text"
    if row.passage is not None:
        yield from _problems_of_passage(row.passage)
    content = row.content
    for found in problems_of(content, needs_key=not _waits(item, content, empty_key)):
        yield column_of_problem(found.field, content), found.message


def _problems_of_passage(passage: RowPassage) -> Iterator[tuple[str, str]]:
    if len(passage.images or ()) > MAX_IMAGES:
        yield "passage", f"at most {MAX_IMAGES} images of a passage, each once"
    if passage.name is not None and (problem := problem_of(passage.name, MAX_LENGTHS["passage_id"])):
        yield "passage_id", problem
    for text in passage.text.values():
        if len(text) > MAX_CELL_LENGTH:
            yield "passage", f"at most {MAX_CELL_LENGTH:,} characters fit into a text"
        try:
            checked_lines(text)
        except ValueError as wrong:
            yield "passage", str(wrong)


def _problems_of_place(item: Item, row: SheetRow) -> Iterator[tuple[str, str]]:
    if len(item.categories) > _MAX_CATEGORIES:
        path = "/".join(item.categories)
        yield "chapter", f'the category "{path[:100]}" has more than the two levels of subject and chapter'
    for name in ("subject", "chapter", "source", "external_id"):
        value = getattr(row, name)
        if value is not None and (problem := problem_of(value, MAX_LENGTHS[name])):
            yield name, problem
    if item.status is not None and item.status not in STATUSES:
        yield "status", f"write one of: {', '.join(STATUSES)}"
