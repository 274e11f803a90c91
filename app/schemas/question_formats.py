"""UPSC's ways to ask, as authors send them, and the plain question that they make."""

from typing import Annotated, Literal, Self

from pydantic import Field

from app.schemas.common import In, Localized, LocalizedText, Out
from app.schemas.question_keys import StoredKey
from app.schemas.questions import OptionOut
from app.services.questions import Content, formats
from app.services.questions.formats import Ask, PairOf, Statement

Combinations = Annotated[
    list[Annotated[list[Annotated[int, Field(ge=1, le=10)]], Field(max_length=10)]],
    Field(max_length=4, examples=[[[1], [2, 3], [1, 3], [1, 2, 3]]]),
]


class StatementIn(In):
    """One statement, and whether it is correct."""

    text: Localized
    correct: bool

    def part(self) -> Statement:
        """What the service takes."""
        return Statement(self.text, self.correct)


class PairIn(In):
    """Two things side by side, and whether they belong together."""

    left: Localized
    right: Localized
    matched: bool


class StatementsIn(In):
    """Which of the statements is/are correct? `combinations` are the four options, if not the usual ones."""

    format: Literal["statements"]
    intro: Localized | None = None
    statements: Annotated[list[StatementIn], Field(min_length=2, max_length=10)]
    ask: Literal["correct", "not_correct"] = "correct"
    combinations: Combinations = Field(default_factory=list)

    def content(self) -> Content:
        """The question."""
        return formats.statements(
            [statement.part() for statement in self.statements],
            intro=self.intro,
            correct=self.ask == "correct",
            combinations=[tuple(sorted(numbers)) for numbers in self.combinations],
        )


class HowManyIn(In):
    """How many of the statements are correct?"""

    format: Literal["how_many"]
    intro: Localized | None = None
    statements: Annotated[list[StatementIn], Field(min_length=3, max_length=5)]

    def content(self) -> Content:
        """The question."""
        return formats.how_many([statement.part() for statement in self.statements], intro=self.intro)


class PairsIn(In):
    """How many of the pairs, or which, are correctly matched? `heads` are the titles of the two columns."""

    format: Literal["pairs"]
    heads: Annotated[list[Localized], Field(min_length=2, max_length=2)] | None = None
    pairs: Annotated[list[PairIn], Field(min_length=2, max_length=10)]
    ask: Ask = Ask.HOW_MANY
    combinations: Combinations = Field(default_factory=list)

    def content(self) -> Content:
        """The question."""
        return formats.pairs(
            [PairOf(pair.left, pair.right, pair.matched) for pair in self.pairs],
            heads=(self.heads[0], self.heads[1]) if self.heads else None,
            ask=self.ask,
            combinations=[tuple(sorted(numbers)) for numbers in self.combinations],
        )


class AssertionReasonIn(In):
    """Statement-I and Statement-II; `explains` says that the second is the explanation of the first."""

    format: Literal["assertion_reason"]
    assertion: StatementIn
    reason: StatementIn
    explains: bool = False

    def content(self) -> Content:
        """The question."""
        return formats.assertion_reason(self.assertion.part(), self.reason.part(), explains=self.explains)


FormatIn = Annotated[
    StatementsIn | HowManyIn | PairsIn | AssertionReasonIn,
    Field(discriminator="format"),
]


class CompiledOut(Out):
    """A plain question: send it to `POST /questions` with a subject and whatever else it shall have."""

    type: str
    text: LocalizedText
    options: list[OptionOut]
    key: StoredKey

    @classmethod
    def of(cls, content: Content) -> Self:
        """What was compiled."""
        return cls.model_validate(content)
