"""The order in which one attempt shows questions and options, derived from its seed.

The orders of a running attempt must never change, so they stand on SHA-256 alone: things are sorted by the
digest of the seed and their ids, the same on every Python and in every other language.
"""

from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from uuid import UUID


def question_order(
    seed: int, sections: Iterable[Sequence[UUID]], passages: Mapping[UUID, UUID]
) -> list[UUID]:
    """The questions of a paper, section after section, shuffled within each.

    `passages` maps a question to its passage. Questions of a section that share one move as a block, in the
    order they have in the paper.
    """
    order: list[UUID] = []
    for section in sections:
        blocks: dict[UUID, list[UUID]] = {}
        for question_id in section:
            blocks.setdefault(passages.get(question_id, question_id), []).append(question_id)
        for block_id in sorted(blocks, key=lambda block_id: _lot(seed, block_id)):
            order += blocks[block_id]
    return order


def option_order(seed: int, question_id: UUID, option_ids: Iterable[str]) -> list[str]:
    """The options of one question, shuffled independently of every other question."""
    return sorted(option_ids, key=lambda option_id: _lot(seed, question_id, option_id))


def _lot(seed: int, *ids: UUID | str) -> bytes:
    return sha256("/".join(map(str, (seed, *ids))).encode()).digest()
