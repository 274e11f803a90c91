"""Nobody sees a key, a score or a rank before the release: every answer to a candidate is searched."""

import re
from collections import Counter

_SECRET = re.compile(
    rb'"(key|accepted|explanation|tolerance|score|score_exact|rank|category_rank|percentile|outcome|correct'
    rb'|incorrect|marks_gained|marks_lost|total)":(?!null)'
)


class Secrecy:
    """Given to each candidate's clients, it looks at bodies until it is told of the release."""

    def __init__(self) -> None:
        self.is_over = False
        self.looked_at = 0
        self.problems: list[str] = []
        self._found: Counter[str] = Counter()

    def watch(self, kind: str, content: bytes) -> None:
        """Note what should not be there, once for each kind of request."""
        if self.is_over:
            return
        self.looked_at += 1
        if (found := _SECRET.search(content)) is None:
            return
        sentence = f"before the release, an answer to {kind} says {found[0].decode()}"
        self._found[sentence] += 1
        if self._found[sentence] == 1:
            self.problems.append(sentence)
