"""Frozen papers and their keys, kept in memory, so that a start reads no table of questions."""

import asyncio
import gzip
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction
from functools import cached_property
from typing import Any, Generic, TypeVar
from uuid import UUID

from app.engine.dropped_keys import DroppedRule
from app.engine.grading import Grader
from app.engine.marks import RoundingPolicy, parse_marks
from app.engine.partial_rules import NO_PARTIAL_MARKS, partial_rule
from app.engine.question_types import question_type
from app.engine.scoring import Item, Marks, PaperKey, SectionRule, key_of
from app.engine.timing import SectionTime
from app.models import KeyVersion, LocalizedText, Paper
from app.services.questions.content import reading_question
from app.services.unit_of_work import Reading

JsonObject = Mapping[str, Any]
Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class FrozenQuestion:
    """What the server needs of a question during an attempt. It has no key."""

    id: UUID
    type: str
    options: tuple[str, ...]
    passage_id: UUID | None
    not_attempted: str | None = None
    """The option that means "not attempted"; it keeps its place at the end."""
    kept: frozenset[str] = frozenset()
    """The options that keep their places."""


@dataclass(frozen=True, slots=True)
class PaperSection:
    """A section of a frozen paper."""

    id: UUID
    name: LocalizedText
    duration: timedelta | None
    locked: bool
    question_ids: tuple[UUID, ...]


@dataclass(frozen=True)
class FrozenPaper:
    """A paper version, ready to serve and to check answers against. It never changes, and has no key."""

    id: UUID
    test_id: UUID
    version: int
    duration: timedelta
    document: bytes
    document_gzipped: bytes
    etag: str
    languages: tuple[str, ...]
    questions: Mapping[UUID, FrozenQuestion]
    """In the order of the paper."""
    sections: Sequence[PaperSection]
    shuffle: Mapping[str, bool]
    rules: JsonObject

    @property
    def section_times(self) -> list[SectionTime]:
        """The sections in the form that `engine/timing` needs."""
        return [SectionTime(section.id, section.duration, section.locked) for section in self.sections]

    @cached_property
    def question_texts(self) -> Sequence[str]:
        """The ids of the questions as texts, as JSON has them."""
        return [str(question_id) for question_id in self.questions]

    @cached_property
    def guess_shares(self) -> Sequence[float]:
        """How often a blind guess at each question is right."""
        return [
            question_type(question.type).guess_share(question.options, question.not_attempted)
            for question in self.questions.values()
        ]

    @cached_property
    def optional_ids(self) -> frozenset[UUID]:
        """The questions of sections that ask for fewer than they have: candidates choose which ones."""
        return frozenset(
            UUID(question_id)
            for section in self.rules["sections"]
            if section["choose"] is not None and section["choose"] < len(section["question_ids"])
            for question_id in section["question_ids"]
        )

    @property
    def has_timed_sections(self) -> bool:
        return any(section.duration is not None for section in self.sections)


@dataclass(frozen=True)
class CompiledKey:
    """A version of a paper's key, ready to mark with. It never changes."""

    id: UUID
    number: int
    cohort_id: UUID
    rules: PaperKey
    grader: Grader
    answer_key: Mapping[str, JsonObject]
    """What is right and why, by question id: `{"key": …, "explanation": …}`."""


class PaperStore:
    """This process's papers and keys. Both are kept for good, since neither ever changes.

    Which version of a key is the current one is not kept: another process may add the next one. Whoever
    needs it asks the database (`KeyRepository`), under a lock if it is to stay the current one.
    """

    def __init__(self, capacity: int = 64) -> None:
        self._papers: Recent[FrozenPaper] = Recent(capacity)
        self._keys: Recent[CompiledKey] = Recent(capacity)

    def in_memory(self, paper_id: UUID) -> FrozenPaper | None:
        """A paper if this process has it in memory."""
        return self._papers.in_memory(paper_id)

    async def get(self, reads: Reading, paper_id: UUID) -> FrozenPaper:
        """A paper by the id that an attempt holds, so it exists."""

        async def load() -> FrozenPaper:
            return frozen(await reads.tests.paper(paper_id))

        return await self._papers.get(reads, paper_id, load)

    async def key(self, reads: Reading, key_id: UUID) -> CompiledKey:
        """A version of a key by the id that a result or `KeyRepository` holds, so it exists."""

        async def load() -> CompiledKey:
            version = await reads.keys.find(key_id)
            return compiled(await self.get(reads, version.paper_id), version)

        return await self._keys.get(reads, key_id, load)


class Recent(Generic[Value]):
    """Values that are loaded once at a time; the least recently used is dropped first."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._values: OrderedDict[UUID, Value] = OrderedDict()
        self._loading: dict[UUID, asyncio.Lock] = {}

    async def get(self, reads: Reading, id_: UUID, load: Callable[[], Awaitable[Value]]) -> Value:
        """The value of this id, loaded by whoever comes first."""
        if (value := self.in_memory(id_)) is not None:
            return value
        # A connection before the lock: those who wait for it may hold all the others of the pool.
        await reads.session.connection()
        lock = self._loading.setdefault(id_, asyncio.Lock())
        async with lock:
            if (value := self.in_memory(id_)) is None:
                value = self._values[id_] = await load()
                while len(self._values) > self._capacity:
                    self._values.popitem(last=False)
            self._loading.pop(id_, None)
        return value

    def in_memory(self, id_: UUID) -> Value | None:
        """The value if it is in memory. It counts as used."""
        if (value := self._values.get(id_)) is not None:
            self._values.move_to_end(id_)
        return value


def frozen(paper: Paper) -> FrozenPaper:
    """Read a stored paper, with its deferred columns, into the form that the rules work with."""
    rules = paper.rules
    sections = [_section(entry) for entry in rules["sections"]]
    questions = [_question(entry) for entry in rules["questions"]]
    return FrozenPaper(
        id=paper.id,
        test_id=paper.test_id,
        version=paper.version,
        duration=timedelta(seconds=paper.duration_seconds),
        document=paper.document,
        document_gzipped=gzip.compress(paper.document, mtime=0),
        etag=paper.etag,
        languages=tuple(paper.languages),
        questions={question.id: question for question in questions},
        sections=sections,
        shuffle=rules["shuffle"],
        rules=rules,
    )


def compiled(paper: FrozenPaper, version: KeyVersion) -> CompiledKey:
    """Read a stored version of a paper's key into the form that marks answers."""
    rules = paper_key(paper.rules, version.key)
    return CompiledKey(version.id, version.number, version.cohort_id, rules, Grader(rules), version.key)


def paper_key(rules: JsonObject, answer_key: Mapping[str, JsonObject]) -> PaperKey:
    """What `engine/scoring` marks with. Raises ValueError (AllDropped too) for rules that contradict."""
    section_of = {
        question_id: UUID(section["id"])
        for section in rules["sections"]
        for question_id in section["question_ids"]
    }
    return PaperKey(
        items=tuple(
            _item(entry, section_of[entry["id"]], answer_key[entry["id"]]["key"])
            for entry in rules["questions"]
        ),
        sections=tuple(_section_rule(section) for section in rules["sections"]),
        dropped=DroppedRule(rules["dropped"]),
        rounding=RoundingPolicy(rules["rounding"]),
        most_unmarked=Fraction(percent) / 100 if (percent := rules.get("most_unmarked_percent")) else None,
    )


def _section_rule(entry: JsonObject) -> SectionRule:
    minimum = entry.get("minimum_marks")
    return SectionRule(
        UUID(entry["id"]), entry["choose"], parse_marks(minimum) if minimum is not None else None
    )


def _item(entry: JsonObject, section_id: UUID, stored_key: JsonObject) -> Item:
    question_id = UUID(entry["id"])
    with reading_question(question_id):
        key = key_of(entry["type"], stored_key)
    return Item(question_id, section_id, key, marks(entry["marks"]))


def marks(marking: JsonObject) -> Marks:
    """A question's resolved marks: `{"correct": "2", "incorrect": "-2/3", …}`."""
    return Marks(
        correct=parse_marks(marking["correct"]),
        incorrect=parse_marks(marking["incorrect"]),
        unattempted=parse_marks(marking["unattempted"]) if "unattempted" in marking else Fraction(0),
        partial=partial_rule(marking.get("partial") or NO_PARTIAL_MARKS.name),
        not_attempted=marking.get("not_attempted_option"),
    )


def _section(entry: JsonObject) -> PaperSection:
    seconds = entry["duration_seconds"]
    return PaperSection(
        id=UUID(entry["id"]),
        name=entry["name"],
        duration=timedelta(seconds=seconds) if seconds else None,
        locked=entry["locked"],
        question_ids=tuple(UUID(question_id) for question_id in entry["question_ids"]),
    )


def _question(entry: JsonObject) -> FrozenQuestion:
    passage_id = entry["passage_id"]
    not_attempted = entry["marks"].get("not_attempted_option")
    return FrozenQuestion(
        id=UUID(entry["id"]),
        type=entry["type"],
        options=tuple(entry["options"]),
        passage_id=UUID(passage_id) if passage_id else None,
        not_attempted=not_attempted if not_attempted in entry["options"] else None,
        kept=frozenset(entry.get("kept_options", ())),
    )
