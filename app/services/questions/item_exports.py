"""Exports questions of the bank in the formats of other programs."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from io import BytesIO
from uuid import UUID

from app.core.errors import FieldError, Invalid
from app.core.storage import Storage
from app.interchange.formats import FORMATS, FormatName
from app.interchange.items import Choice, Item, ItemPassage, Place, Remark, Written
from app.interchange.limits import MAX_BYTES, MAX_ITEMS
from app.models import LocalizedText
from app.repositories.questions import QuestionFilter
from app.sentences import Sentence
from app.services import audit
from app.services.audit import AuditSubject
from app.services.questions import media
from app.services.questions.bank import Shown
from app.services.questions.content import Content, content_of, reading_question
from app.services.questions.exports import Export, batches, options_fit
from app.services.questions.syllabus import Labels
from app.services.unit_of_work import Reading
from app.services.users import Principal
from app.sheets.cells import normalize_line_ends

_MAX_LISTED = 100
"""Questions in an error that the format cannot express."""
_MAX_TITLE_LENGTH = 60
_ENDINGS = {"image/png": "png", "image/jpeg": "jpg", "image/webp": "webp"}


@dataclass(slots=True)
class _Selection:
    """The questions to write, and those that no format can hold."""

    items: list[Item] = field(default_factory=list)
    ids: list[UUID] = field(default_factory=list)
    """The id of the question at each place, the first one being 1."""
    left_out: list[Remark] = field(default_factory=list)
    withheld: int = 0
    """Questions whose key the reader may not see."""


@dataclass(frozen=True, slots=True)
class ItemExport:
    """A file in a format of another program, and what it does not hold."""

    export: Export
    left_out: Sequence[Remark]
    not_kept: Sequence[Remark]


async def export_items(
    reads: Reading,
    reader: Principal,
    wanted: QuestionFilter,
    name: FormatName,
    storage: Storage,
    *,
    leave_out_unsupported: bool = False,
) -> ItemExport:
    """Write the questions that match the filter, in the order of the list of the API.

    Raises Invalid with all that the format cannot express, unless `leave_out_unsupported` is given. Questions
    whose key is withheld from the reader are left out in any case.
    """
    selected = await _selected(reads, reader, wanted)
    images = await _images(reads, reader, storage, selected.items)
    written = await asyncio.to_thread(FORMATS[name].write, selected.items, images)
    written.left_out[:0] = selected.left_out
    if not leave_out_unsupported:
        _refuse_losses(written, selected.ids, FORMATS[name].label)
    if len(written.content) > MAX_BYTES:
        raise _too_large()
    audit.record(reads, reader, "export", AuditSubject("bank"), format=name, questions=written.count)
    export = Export(BytesIO(written.content), written.count, len(written.left_out) + selected.withheld)
    return ItemExport(export, written.left_out, written.not_kept)


async def _selected(reads: Reading, reader: Principal, wanted: QuestionFilter) -> _Selection:
    labels = await Labels.load(reads, reader.institute_id)
    selected = _Selection()
    async for batch in batches(reads, reader, wanted):
        passages = await _passages(reads, batch)
        for shown in batch:
            if shown.withheld:
                selected.withheld += 1
            else:
                _add(selected, shown, labels, passages)
        if len(selected.ids) > MAX_ITEMS:
            sentence = "A file may have at most {most:,} questions. Select fewer, such as those of a subject."
            raise Invalid.field("format", Sentence(sentence, most=MAX_ITEMS))
    return selected


async def _passages(reads: Reading, batch: Sequence[Shown]) -> Mapping[UUID, ItemPassage]:
    ids = {passage_id for one in batch if (passage_id := one.question.version.passage_id)}
    if not ids:
        return {}
    names = await reads.questions.passage_names(ids)
    found = await reads.passages.texts(ids)
    return {
        id_: ItemPassage(
            _lines(passage.text),
            passage.media,
            None if names[id_] == str(id_) else names[id_],
            str(id_),
        )
        for id_, passage in found.items()
    }


def _add(selected: _Selection, shown: Shown, labels: Labels, passages: Mapping[UUID, ItemPassage]) -> None:
    question = shown.question
    content = content_of(question.version)
    with reading_question(question.id):
        content.check_readable()
        item = _item(shown, content, labels, passages, len(selected.ids) + 1)
        why = _not_expressible(content)
    selected.ids.append(question.id)
    if item is None or why is not None:
        place = _place(shown, content, len(selected.ids))
        selected.left_out.append(Remark(place, why or f"no format has {content.kind.title} questions"))
    else:
        selected.items.append(item)


def _not_expressible(content: Content) -> str | None:
    """Why no format can hold a question."""
    return None if options_fit(content) else "its options have other ids than a, b, c …"


def _item(
    shown: Shown, content: Content, labels: Labels, passages: Mapping[UUID, ItemPassage], number: int
) -> Item | None:
    if content.kind.interaction is None:
        return None
    question = shown.question
    categories = [labels.subject(question.subject_id)]
    if question.chapter_id:
        categories.append(labels.chapter(question.chapter_id))
    return Item(
        _place(shown, content, number),
        content.kind.interaction,
        _lines(content.text),
        [
            Choice(option["id"], _lines(option["text"]), option.get("fixed", False))
            for option in content.options
        ],
        content.key,
        _lines(content.explanation or {}),
        content.tags,
        categories,
        question.external_id,
        content.difficulty,
        question.status,
        question.source,
        question.source_number,
        content.media,
        passages[content.passage_id] if content.passage_id is not None else None,
    )


def _lines(texts: LocalizedText) -> LocalizedText:
    """The texts with one kind of line ends. An import reads them as unchanged."""
    return {language: normalize_line_ends(text) for language, text in texts.items()}


def _place(shown: Shown, content: Content, number: int) -> Place:
    text = content.text.get("en") or content.text[min(content.text)]
    title = shown.question.external_id or " ".join(text.split())[:_MAX_TITLE_LENGTH]
    return Place(number, title=title)


async def _images(
    reads: Reading, reader: Principal, storage: Storage, items: list[Item]
) -> Mapping[str, bytes]:
    """The contents of the images. The items then name them as files."""
    shown = {item.passage.identifier: item.passage for item in items if item.passage is not None}
    pictured: Sequence[Item | ItemPassage] = (*items, *shown.values())
    ids = {UUID(name) for each in pictured for name in each.images}
    found = await reads.media.existing(reader.institute_id, ids) if ids else {}
    names: dict[str, str] = {}
    contents: dict[str, bytes] = {}
    size = 0
    for media_id, image in found.items():
        size += image.size_bytes
        if size > MAX_BYTES:
            raise _too_large()
        names[str(media_id)] = name = f"{media_id}.{_ENDINGS[image.content_type]}"
        contents[name] = await media.content_of(storage, image)
    named = {
        identifier: replace(passage, images=_named(passage, names)) for identifier, passage in shown.items()
    }
    for place, item in enumerate(items):
        passage = named[item.passage.identifier] if item.passage is not None else None
        if item.images or passage is not None:
            items[place] = replace(item, images=_named(item, names), passage=passage)
    return contents


def _named(shown: Item | ItemPassage, names: Mapping[str, str]) -> list[str]:
    """The names of the files of its images."""
    return [names[name] for name in shown.images if name in names]


def _refuse_losses(written: Written, ids: Sequence[UUID], label: str) -> None:
    """Raise Invalid if something is left out or not kept."""
    losses = [*written.left_out, *written.not_kept]
    if not losses:
        return
    detail = Sentence(
        "{label} cannot express all of these questions ({count:,} remarks). Select others, or leave"
        " out what it cannot express with `leave_out_unsupported`.",
        label=label,
        count=len(losses),
    )
    errors = [
        FieldError(
            "format",
            Sentence("{place}: {message}", place=str(remark.place), message=remark.message),
            ids[remark.place.number - 1],
        )
        for remark in losses[:_MAX_LISTED]
    ]
    raise Invalid(detail, errors=errors)


def _too_large() -> Invalid:
    sentence = "The file would have more than {most:,} bytes. Select fewer questions."
    return Invalid.field("format", Sentence(sentence, most=MAX_BYTES))
