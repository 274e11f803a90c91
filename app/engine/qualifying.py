"""Rules over a whole attempt: section minima, and disqualification for questions left without a mark."""

from collections.abc import Mapping
from enum import StrEnum
from fractions import Fraction
from uuid import UUID

from app.engine.answers import Answer
from app.engine.marks import printed, reaches
from app.engine.scoring import PaperKey


class Qualification(StrEnum):
    """Whether a marked attempt qualifies by the rules of its paper.

    `disqualified` left more questions without any mark than the paper allows.
    """

    QUALIFIED = "qualified"
    BELOW_SECTION_MINIMUM = "below_section_minimum"
    DISQUALIFIED = "disqualified"


def qualification(
    key: PaperKey, answers: Mapping[UUID, Answer | None], raw_of: Mapping[UUID, Fraction]
) -> Qualification:
    """What the paper's rules say of an attempt; `raw_of` has the raw marks of each section."""
    if key.most_unmarked is not None:
        unmarked, asked = _unmarked(key, answers)
        if unmarked > key.most_unmarked * asked:
            return Qualification.DISQUALIFIED
    if all(reaches_minimum(key, section_id, raw_of[section_id]) for section_id in key.minimum_of):
        return Qualification.QUALIFIED
    return Qualification.BELOW_SECTION_MINIMUM


def reaches_minimum(key: PaperKey, section_id: UUID, raw: Fraction) -> bool:
    """Whether the score of a section that has a minimum is at least that, exactly or as it is printed."""
    return reaches(raw * key.factor, printed(raw, key.factor, key.rounding), key.minimum_of[section_id])


def _unmarked(key: PaperKey, answers: Mapping[UUID, Answer | None]) -> tuple[int, int]:
    """How many questions were left without any mark, of how many that were asked, dropped ones included.

    A section with `choose` asks for so many; the option "not attempted" is a mark.
    """
    unmarked = asked = 0
    for section in key.sections:
        items = key.items_of[section.id]
        wanted = len(items) if section.choose is None else section.choose
        marked = sum(bool(answers.get(item.question_id)) for item in items)
        asked += wanted
        unmarked += max(wanted - marked, 0)
    return unmarked, asked
