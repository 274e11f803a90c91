"""Searches every response to a candidate for keys, scores and ranks before the release."""

import re
from collections import Counter

_SECRET = re.compile(
    rb'"(key|accepted|explanation|tolerance|score|score_exact|rank|category_rank|percentile|outcome|correct'
    rb'|incorrect|marks_gained|marks_lost|total)":(?!null)'
)


class SecretScanner:
    """Observes all clients of candidates until the results are released."""

    def __init__(self) -> None:
        self.is_released = False
        self.scanned = 0
        self.problems: list[str] = []
        self._found: Counter[str] = Counter()

    def scan(self, kind: str, content: bytes) -> None:
        """Record a problem if the body holds a secret, once for each kind of request and member."""
        if self.is_released:
            return
        self.scanned += 1
        if (found := _SECRET.search(content)) is None:
            return
        sentence = f"before the release, an answer to {kind} has {found[0].decode()}"
        self._found[sentence] += 1
        if self._found[sentence] == 1:
            self.problems.append(sentence)
