"""The changes that an import makes, from a comparison of the sheet with the bank."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from app.core.ids import uuid7
from app.models import LocalizedText, Question
from app.repositories.questions.passages import PassageText
from app.services.questions.bank import version_values
from app.services.questions.columns import Columns
from app.services.questions.content import Content, content_of, fingerprint
from app.services.questions.images import SheetImages
from app.services.questions.replacements import replacements
from app.services.questions.rows import SheetRow
from app.services.questions.sheet_passages import SheetPassages
from app.sheets.cells import normalize_line_ends
from app.sheets.reports import ItemInTest, RowError, RowPlace, RowWarning

Values = dict[str, Any]
Identity = tuple[Any, ...]
"""What identifies a question: `("external_id", …)`, `("source", …, number)` or `("text", fingerprint)`."""

_PARTS = {
    "type": "type",
    "question": "text",
    "options": "options",
    "key": "key",
    "explanation": "explanation",
    "difficulty": "difficulty",
    "tags": "tags",
    "passage": "passage_id",
    "image": "media",
}
"""The parts of the content, by column."""
_PROPERTIES = {
    "subject": "subject_id",
    "chapter": "chapter_id",
    "source": "source",
    "number": "source_number",
    "status": "status",
}
"""The properties of a question without versions, by column."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A row with its subject and chapter. If the sheet has no chapters, a question keeps the one it has."""

    row: SheetRow
    identity: Identity
    subject_id: UUID
    chapter_id: UUID | None
    passage_id: UUID | None
    says_chapter: bool

    @classmethod
    def of(
        cls,
        row: SheetRow,
        subject_id: UUID,
        chapter_id: UUID | None,
        passage_id: UUID | None,
        *,
        says_chapter: bool,
    ) -> "Entry":
        """The entry of a row, with its identity."""
        identity = _identity(row, subject_id, passage_id)
        return cls(row, identity, subject_id, chapter_id, passage_id, says_chapter)


def _identity(row: SheetRow, subject_id: UUID, passage_id: UUID | None) -> Identity:
    if row.external_id is not None:
        return "external_id", row.external_id
    if row.source is not None and row.number is not None:
        return "source", row.source, row.number
    content = row.content if passage_id is None else replace(row.content, passage_id=passage_id)
    return "text", fingerprint(subject_id, content)


def _fingerprint(entry: Entry, content: Content) -> str:
    """The hash of an entry, which is its identity if it has no other one."""
    kind, *rest = entry.identity
    return str(rest[0]) if kind == "text" else fingerprint(entry.subject_id, content)


@dataclass(slots=True)
class QuestionImportPlan:
    """The rows to write, by table. `question_ids` has every question of the sheet, in the sheet's order."""

    institute_id: UUID
    actor_id: UUID | None
    question_ids: list[UUID] = field(default_factory=list)
    questions: list[Values] = field(default_factory=list)
    first_versions: list[Values] = field(default_factory=list)
    changes: list[Values] = field(default_factory=list)
    updated_columns: Counter[str] = field(default_factory=Counter)
    """In how many existing questions each column gets another value."""
    next_versions: list[Values] = field(default_factory=list)
    row_of: dict[UUID, RowPlace] = field(default_factory=dict)
    """The row of each question."""
    new_keys: dict[UUID, int] = field(default_factory=dict)
    """The existing questions that get another key, and the number of the version with it."""

    warnings: list[RowWarning] = field(default_factory=list)
    in_test: list[ItemInTest] = field(default_factory=list)
    """In the order of `question_ids`."""

    passages: list[Values] = field(default_factory=list)
    passage_versions: list[Values] = field(default_factory=list)
    passage_changes: list[Values] = field(default_factory=list)

    @property
    def reworded(self) -> list[UUID]:
        """The questions that get a new version."""
        return [values["question_id"] for values in (*self.first_versions, *self.next_versions)]

    def take(self, passages: SheetPassages, sheet_images: SheetImages) -> None:
        """Add the new passages and the new versions of others, and their warnings."""
        for passage in passages.new:
            self.passages.append(
                {"id": passage.id, "institute_id": self.institute_id, "external_id": passage.name}
            )
            self._add_version(PassageText(passage.id, 1, passage.text, sheet_images.of(passage.images or ())))
        for passage, now in passages.changed:
            self.passage_changes.append({"id": now.id, "current_version": now.number})
            media = now.media if passage.images is None else sheet_images.of(passage.images)
            self._add_version(replace(now, media=media))
        self.warnings += passages.warnings

    def _add_version(self, said: PassageText) -> None:
        self.passage_versions.append(
            {
                "passage_id": said.id,
                "number": said.number,
                "text": said.text,
                "media": said.media,
                "created_by": self.actor_id,
            }
        )

    def create(self, question_id: UUID, entry: Entry, content: Content) -> None:
        """Add a new question."""
        row = entry.row
        values = {
            "id": question_id,
            "institute_id": self.institute_id,
            "created_by": self.actor_id,
            "subject_id": entry.subject_id,
            "chapter_id": entry.chapter_id,
            "external_id": row.external_id,
            "source": row.source,
            "source_number": row.number,
            "status": row.status or "active",
            "fingerprint": _fingerprint(entry, content),
        }
        self.question_ids.append(question_id)
        self.questions.append(values)
        self.first_versions.append(version_values(question_id, 1, content, self.actor_id))

    def revise(self, question: Question, entry: Entry, said: Content, columns: Columns) -> None:
        """Compare an existing question with its row. Changed content becomes the next version."""
        before = content_of(question.version)
        content = merged(before, said, columns)
        number = question.current_version + (content != before)
        values = {
            "current_version": number,
            "subject_id": entry.subject_id,
            "chapter_id": _chapter(question, entry),
            "source": entry.row.source if "source" in columns else question.source,
            "source_number": entry.row.number if "number" in columns else question.source_number,
            "status": status_of(entry.row, question),
        }
        self.question_ids.append(question.id)
        if number > question.current_version:
            self.next_versions.append(version_values(question.id, number, content, self.actor_id))
            self.warnings += replacements(question, before, content, entry.row.place)
        if content.key != before.key:
            self.new_keys[question.id] = number
        if any(getattr(question, name) != value for name, value in values.items()):
            self.updated_columns.update(_updated_columns(question, before, values, content))
            values["fingerprint"] = fingerprint(entry.subject_id, content)
            self.changes.append({"id": question.id, **values})


def planned(
    plan: QuestionImportPlan,
    entries: Sequence[Entry],
    known: Mapping[Identity, Question],
    layouts: Sequence[Columns],
    sheet_images: SheetImages,
) -> None:
    """Fill the plan. New ids increase with the rows, so that lists keep the sheet's order."""
    new_ids = sorted(uuid7() for _ in entries)
    for entry, new_id in zip(entries, new_ids, strict=True):
        content = replace(
            entry.row.content, passage_id=entry.passage_id, media=sheet_images.of(entry.row.images)
        )
        question = known.get(entry.identity)
        plan.row_of[question.id if question else new_id] = entry.row.place
        plan.in_test.append(entry.row.in_test)
        if question is None:
            plan.create(new_id, entry, content)
        else:
            plan.revise(question, entry, content, layouts[entry.row.sheet - 1])


def repeated(entries: Sequence[Entry]) -> list[RowError]:
    """Errors of rows with the same identity as an earlier row."""
    first: dict[Identity, RowPlace] = {}
    errors = []
    columns = {"external_id": "external_id", "source": "number", "text": "question"}
    for entry in entries:
        kind, place = entry.identity[0], entry.row.place
        if (other := first.setdefault(entry.identity, place)) != place:
            hint = "; delete one, or tell them apart by external_id" if kind == "text" else ""
            errors.append(place.error(columns[kind], f"this is the same question as in {other}{hint}"))
    return errors


def merged(before: Content, said: Content, columns: Columns) -> Content:
    """The new content: columns and languages of the sheet replace the old values, all others are kept."""
    old_options = {option["id"]: option["text"] for option in before.options}
    column_of = said.kind.column_of
    fixed = {
        option["id"]
        for option in (said.options if "fixed_options" in columns else before.options)
        if option.get("fixed")
    }
    options = [
        {
            "id": option["id"],
            "text": _merged(
                old_options.get(option["id"]), option["text"], columns.texts[column_of[option["id"]]]
            ),
            **({"fixed": True} if option["id"] in fixed else {}),
        }
        for option in said.options
    ]
    return replace(
        said,
        type=said.type if "type" in columns else _kept_type(before, said),
        text=_merged(before.text, said.text, columns.texts["question"]),
        options=options,
        explanation=_merged(before.explanation, said.explanation, columns.texts.get("explanation", {}))
        or None,
        difficulty=said.difficulty if "difficulty" in columns else before.difficulty,
        tags=said.tags if "tags" in columns else before.tags,
        passage_id=said.passage_id if says_passage(columns) else before.passage_id,
        media=said.media if "image" in columns or said.media else before.media,
    )


def _updated_columns(question: Question, before: Content, values: Values, content: Content) -> Iterator[str]:
    """The columns whose value changes; `options` stands for the columns of all options."""
    for column, part in _PARTS.items():
        if getattr(before, part) != getattr(content, part):
            yield column
    for column, name in _PROPERTIES.items():
        if getattr(question, name) != values[name]:
            yield column


def _kept_type(before: Content, said: Content) -> str:
    """The type of a question whose sheet names none: the one that it has, if it takes the key."""
    interaction = said.kind.interaction
    if interaction is None or before.kind.interaction is not interaction:
        return said.type
    is_key = not said.has_accepted_answers or not any(before.kind.key_problems(said.key, said.options))
    return before.type if is_key else said.type


def says_passage(columns: Columns) -> bool:
    """Whether a sheet says which passage its questions have."""
    return "passage_id" in columns or "passage" in columns


def _merged(
    before: LocalizedText | None, said: LocalizedText | None, languages: Mapping[str, int]
) -> LocalizedText:
    before = before or {}
    kept = {language: text for language, text in before.items() if language not in languages}
    new = {
        language: before[language] if _reads_alike(before.get(language), text) else text
        for language, text in (said or {}).items()
    }
    return kept | new


def _reads_alike(before: str | None, said: str) -> bool:
    """Whether the texts are equal, apart from the kind of line ends."""
    return before is not None and normalize_line_ends(before) == said


def _chapter(question: Question, entry: Entry) -> UUID | None:
    if entry.says_chapter or question.subject_id != entry.subject_id:
        return entry.chapter_id
    return question.chapter_id


def status_of(row: SheetRow, question: Question | None) -> str:
    """The status of the row, if it has one. Otherwise a draft without a key becomes active with its key."""
    if row.status is not None or question is None:
        return row.status or "active"
    if question.status == "draft" and row.content.has_key and not content_of(question.version).has_key:
        return "active"
    return question.status
