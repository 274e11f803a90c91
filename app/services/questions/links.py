"""Which questions are worth measuring against each other: those whose sketches have bands in common.

A band links a question to the first few that have it. So the work stays within bounds where thousands are
alike, and these show as pairs of each and the oldest ones; bands that few have, which tell most, link all.
"""

import asyncio
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Container, Iterator, Sequence
from itertools import chain
from uuid import UUID

from app.repositories.questions.similarity import Sketch

# A band links a question to so many others that have it, the oldest of all.
OLDEST = 16
# Pairs with one band in common are mostly chance.
MIN_COMMON_BANDS = 2

Pair = tuple[UUID, UUID]


class Links:
    """The questions of a bank, the oldest first, and what their bands link.

    Large banks take a while: its functions belong into a thread, where others have their turns meanwhile.
    """

    def __init__(self, sketches: Sequence[Sketch]) -> None:
        self.ids = [sketch.question_id for sketch in sketches]
        shared = _shared(sketches)
        self._bands = [[band for band in sketch.bands if band in shared] for sketch in sketches]
        self._places: dict[int, list[int]] = defaultdict(list)
        for place, bands in enumerate(self._bands):
            for band in bands:
                self._places[band].append(place)

    @classmethod
    async def load(cls, sketches: AsyncIterator[Sequence[Sketch]]) -> "Links":
        """The links of all these."""
        found = [sketch async for some in sketches for sketch in some]
        return await asyncio.to_thread(cls, found)

    def place_of(self, question_id: UUID) -> int:
        """Where a question stands, or would stand."""
        return bisect_left(self.ids, question_id)

    def later(self, start: int, end: int, after: Pair) -> list[Pair]:
        """The questions from one place to another, each with the later ones that it is linked to, in order.

        Only pairs after the one that is given.
        """
        found = (
            (self.ids[place], self.ids[other])
            for place in range(start, min(end, len(self.ids)))
            for other in sorted(_enough(self._later_of(place)))
        )
        return [pair for pair in found if pair > after]

    def closest(self, question_ids: Sequence[UUID], given: Container[UUID], most: int) -> list[Pair]:
        """Each of these questions with the few that have most in common with it, the oldest of equals first.

        Of two that are `given`, it is the later one that has the pair.
        """
        pairs = []
        for question_id in question_ids:
            place = self.place_of(question_id)
            if self.ids[place : place + 1] != [question_id]:
                continue
            shared = self._older_of(place)
            shared.update(other for other in self._later_of(place).elements() if self.ids[other] not in given)
            best = sorted(_enough(shared), key=lambda other: (-shared[other], other))[:most]
            pairs += [(question_id, self.ids[other]) for other in best]
        return pairs

    def _older_of(self, place: int) -> Counter[int]:
        """The older questions that this one is linked to, and how many bands link them."""
        oldest = (self._places[band][:OLDEST] for band in self._bands[place])
        return Counter(chain.from_iterable(each[: bisect_left(each, place)] for each in oldest))

    def _later_of(self, place: int) -> Counter[int]:
        """The later questions that are linked to this one."""
        bands = (self._places[band] for band in self._bands[place])
        following = ((places, bisect_left(places, place)) for places in bands)
        return Counter(chain.from_iterable(places[nth + 1 :] for places, nth in following if nth < OLDEST))


def _shared(sketches: Sequence[Sketch]) -> set[int]:
    """The bands of more than one question. Most belong to one, and a list for each would need much memory."""
    import numpy as np  # noqa: PLC0415 -- only imports of questions need it

    every = np.fromiter(chain.from_iterable(sketch.bands for sketch in sketches), np.int64)
    bands, counts = np.unique(every, return_counts=True)
    return set(bands[counts > 1].tolist())


def _enough(shared: Counter[int]) -> Iterator[int]:
    return (place for place, count in shared.items() if count >= MIN_COMMON_BANDS)
