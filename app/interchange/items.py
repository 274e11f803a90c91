"""The neutral form of a question, between the bank and the formats of other programs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from app.engine.question_types import NO_KEY, Interaction, JsonObject

Texts = Mapping[str, str]
"""A text by language, as Markdown (docs/api.md)."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where an item stands in its file."""

    number: int = 1
    """The place among the items, from 1."""
    at: str = ""
    """Where a person finds it, such as `line 12` or `items/q1.xml`."""
    title: str = ""
    """What the file calls the item. The bank has no titles."""

    def __str__(self) -> str:
        named = f' "{self.title[:60]}"' if self.title else ""
        return f"question {self.number}{named}" + (f", {self.at}" if self.at else "")


@dataclass(frozen=True, slots=True)
class Choice:
    """An option. Ids are those of the bank: letters, and numbers for the first list of a matching."""

    id: str
    text: Texts
    is_fixed: bool = False
    """Whether it keeps its place where options are shuffled."""


@dataclass(frozen=True, slots=True)
class ItemPassage:
    """A text that several questions share. Two passages are equal if they say the same."""

    text: Texts
    images: Sequence[str] = ()
    """Names of files in `ItemFile.images`."""
    external_id: str | None = None
    identifier: str = field(default="", compare=False)
    """What tells the passages of one file apart."""


@dataclass(frozen=True, slots=True)
class Item:
    """A question. Two items are equal if they say the same, wherever they stand."""

    place: Place = field(compare=False)
    interaction: Interaction
    text: Texts
    choices: Sequence[Choice] = ()
    key: JsonObject = field(default_factory=lambda: NO_KEY)
    """In the form that the bank stores (`QuestionType.normalized_key`); `NO_KEY` where the file has none."""
    explanation: Texts = field(default_factory=dict)
    tags: Sequence[str] = ()
    categories: Sequence[str] = ()
    """The path of categories from the outermost: the subject, and the chapter if there is one."""
    external_id: str | None = None
    difficulty: str | None = None
    status: str | None = None
    source: str | None = None
    source_number: int | None = None
    images: Sequence[str] = ()
    """Names of files in `ItemFile.images`."""
    passage: ItemPassage | None = None

    @property
    def languages(self) -> set[str]:
        """All languages of its texts."""
        texts = (self.text, self.explanation, *(choice.text for choice in self.choices))
        if self.passage is not None:
            texts = (*texts, self.passage.text)
        return {language for text in texts for language in text}


@dataclass(frozen=True, slots=True)
class Remark:
    """Something to say about an item, in one line."""

    place: Place
    message: str


@dataclass(slots=True)
class ItemFile:
    """What a reader found in a file."""

    items: list[Item] = field(default_factory=list)
    images: dict[str, bytes] = field(default_factory=dict)
    """The contents of images by the names that the items use."""
    errors: list[Remark] = field(default_factory=list)
    """Mistakes. Nothing of such a file is imported."""
    unsupported: list[Remark] = field(default_factory=list)
    """Questions that the bank cannot hold. They are not among the items."""
    not_kept: list[Remark] = field(default_factory=list)
    """What the items of the file say beyond what the bank can hold."""


@dataclass(slots=True)
class Written:
    """A file that a writer made."""

    content: bytes
    count: int
    """The number of items in it."""
    left_out: list[Remark] = field(default_factory=list)
    """Items that the format cannot express. They are not in the file."""
    not_kept: list[Remark] = field(default_factory=list)
    """What the items say beyond what the format can hold."""
