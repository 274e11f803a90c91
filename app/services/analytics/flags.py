"""The flags of questions in words."""

from collections.abc import Mapping

from app.sentences import Sentence

FLAGS: Mapping[str, Sentence] = {
    "strong_candidates_choose_another_option": Sentence(
        "Option {option} of question {number} attracts strong candidates: check the key."
    ),
    "negative_discrimination": Sentence(
        "Weak candidates answer question {number} correctly more often than strong ones: check the key."
    ),
    "below_guessing": Sentence(
        "Fewer candidates answer question {number} correctly than by guessing: check the key and the wording."
    ),
    "harder_for_group": Sentence(
        "Question {number} is harder for the group {group} than for others of equal ability:"
        " check its wording and translation."
    ),
    "easier_for_group": Sentence(
        "Question {number} is easier for the group {group} than for others of equal ability:"
        " check its wording and translation."
    ),
    "weak_discrimination": Sentence("Question {number} hardly tells strong candidates from weak ones."),
    "option_rarely_chosen": Sentence("Hardly anybody chooses option {option} of question {number}."),
}
"""By the name of the flag, as `engine/statistics` finds it, the most serious first."""

_RANKS: Mapping[str, int] = {flag: rank for rank, flag in enumerate(FLAGS)}


def rank_of(flag: str) -> int:
    """The place of a flag among all: 0 for the most serious."""
    return _RANKS[flag]


def in_words(flag: str, *, number: int, option: str | None = None, group: str | None = None) -> Sentence:
    """What a flag means, and what to do about it."""
    return Sentence(FLAGS[flag].template, number=number, option=option, group=group)
