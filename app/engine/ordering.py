"""The order of questions and options in one attempt, derived from its seed.

The orders of a running attempt must never change. Questions and options are therefore sorted by the SHA-256
digest of the seed and their ids, which is the same in every version of Python and in other languages.
"""

from collections.abc import Container, Iterable, Mapping, Sequence
from hashlib import sha256
from uuid import UUID


def question_order(
    seed: int, sections: Iterable[Sequence[UUID]], passages: Mapping[UUID, UUID]
) -> list[UUID]:
    """Return the questions of a paper, section after section, shuffled within each section.

    `passages` maps a question to its passage. Questions of a section that share a passage stay together, in
    the order of the paper.
    """
    order: list[UUID] = []
    for section in sections:
        blocks: dict[UUID, list[UUID]] = {}
        for question_id in section:
            blocks.setdefault(passages.get(question_id, question_id), []).append(question_id)
        for block_id in sorted(blocks, key=lambda block_id: _digest(seed, block_id)):
            order += blocks[block_id]
    return order


def option_order(
    seed: int, question_id: UUID, option_ids: Sequence[str], kept: Container[str] = ()
) -> list[str]:
    """Return the options of one question, shuffled independently of other questions.

    Those that are `kept` stay in their places, and the others change places with each other.
    """
    movable = [option_id for option_id in option_ids if option_id not in kept]
    shuffled = iter(sorted(movable, key=lambda option_id: _digest(seed, question_id, option_id)))
    return [option_id if option_id in kept else next(shuffled) for option_id in option_ids]


def _digest(seed: int, *ids: UUID | str) -> bytes:
    return sha256("/".join(map(str, (seed, *ids))).encode()).digest()
