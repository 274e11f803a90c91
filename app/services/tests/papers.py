"""Frozen papers, kept in memory, so that a start reads no table of questions (docs/decisions/0013)."""

import asyncio
import gzip
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction
from typing import Any
from uuid import UUID

from app.engine.marks import RoundingPolicy, parse_marks
from app.engine.scoring import (
    Accepted,
    Dropped,
    DroppedRule,
    Item,
    Key,
    Marks,
    NumericKey,
    PaperKey,
    PartialRule,
    SectionRule,
    parse_numeric,
)
from app.engine.timing import SectionTime
from app.models import LocalizedText, Paper
from app.services.unit_of_work import Reading

JsonObject = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class PaperQuestion:
    """What the server needs of a question during an attempt. It has no key."""

    id: UUID
    type: str
    options: tuple[str, ...]
    passage_id: UUID | None


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
    """A paper version, ready to serve, to check answers against and to mark with. It never changes."""

    id: UUID
    test_id: UUID
    version: int
    duration: timedelta
    document: bytes
    document_gzipped: bytes
    etag: str
    languages: tuple[str, ...]
    questions: Mapping[UUID, PaperQuestion]
    sections: Sequence[PaperSection]
    shuffle: Mapping[str, bool]
    key: PaperKey
    answer_key: Mapping[str, JsonObject]
    """What is right and why, by question id: `{"key": …, "explanation": …}`."""

    @property
    def section_times(self) -> list[SectionTime]:
        """The sections in the form that `engine/timing` needs."""
        return [SectionTime(section.id, section.duration, section.locked) for section in self.sections]

    @property
    def has_timed_sections(self) -> bool:
        return any(section.duration is not None for section in self.sections)


class PaperStore:
    """Papers in the memory of this process, an LRU cache. Concurrent requests load a paper once."""

    def __init__(self, capacity: int = 64) -> None:
        self._capacity = capacity
        self._papers: OrderedDict[UUID, FrozenPaper] = OrderedDict()
        self._loading: dict[UUID, asyncio.Lock] = {}

    async def get(self, reads: Reading, paper_id: UUID) -> FrozenPaper:
        """A paper by the id that an attempt holds, so it exists."""
        if (paper := self._recent(paper_id)) is not None:
            return paper
        # Get the connection first: tasks that wait for the lock may hold all connections of the pool.
        await reads.session.connection()
        lock = self._loading.setdefault(paper_id, asyncio.Lock())
        async with lock:
            if (paper := self._recent(paper_id)) is None:
                paper = frozen(await reads.tests.paper(paper_id))
                self._papers[paper_id] = paper
                while len(self._papers) > self._capacity:
                    self._papers.popitem(last=False)
            self._loading.pop(paper_id, None)
        return paper

    def _recent(self, paper_id: UUID) -> FrozenPaper | None:
        if (paper := self._papers.get(paper_id)) is not None:
            self._papers.move_to_end(paper_id)
        return paper


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
        key=paper_key(rules, paper.key),
        answer_key=paper.key,
    )


def paper_key(rules: JsonObject, answer_key: Mapping[str, JsonObject]) -> PaperKey:
    """What `engine/scoring` marks with. Raises ValueError (AllDropped too) for rules that contradict."""
    section_of = {
        question_id: UUID(section["id"])
        for section in rules["sections"]
        for question_id in section["question_ids"]
    }
    return PaperKey(
        items=tuple(
            Item(
                UUID(entry["id"]),
                section_of[entry["id"]],
                scoring_key(answer_key[entry["id"]]["key"]),
                marks(entry["marks"]),
            )
            for entry in rules["questions"]
        ),
        sections=tuple(SectionRule(UUID(section["id"]), section["choose"]) for section in rules["sections"]),
        dropped=DroppedRule(rules["dropped"]),
        rounding=RoundingPolicy(rules["rounding"]),
    )


def scoring_key(key: JsonObject) -> Key:
    """A key as it is stored, as the rule wants it."""
    if key.get("dropped"):
        return Dropped()
    if "value" in key:
        return NumericKey(parse_numeric(key["value"]), parse_numeric(key.get("tolerance", "0")))
    return Accepted(frozenset(frozenset(options) for options in key["accepted"]))


def marks(marking: JsonObject) -> Marks:
    """A question's resolved marks: `{"correct": "2", "incorrect": "-2/3", …}`."""
    return Marks(
        correct=parse_marks(marking["correct"]),
        incorrect=parse_marks(marking["incorrect"]),
        unattempted=parse_marks(marking["unattempted"]) if "unattempted" in marking else Fraction(0),
        partial=PartialRule(marking.get("partial") or PartialRule.NONE),
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


def _question(entry: JsonObject) -> PaperQuestion:
    passage_id = entry["passage_id"]
    return PaperQuestion(
        id=UUID(entry["id"]),
        type=entry["type"],
        options=tuple(entry["options"]),
        passage_id=UUID(passage_id) if passage_id else None,
    )
