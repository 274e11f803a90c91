"""The options of a dispute."""

from dataclasses import dataclass
from pathlib import Path

DISPUTED = 80
"""The number of the question that is keyed wrongly."""


@dataclass(frozen=True, slots=True)
class DisputeOptions:
    """The size of the dispute and the installation that it uses.

    `paper` is a sheet of single choices. Exports are written to `out`.
    """

    api_url: str
    paper: Path
    candidates: int
    objection_seconds: float
    seed: int
    out: Path


def objection_seconds(candidates: int) -> float:
    """How long the window for objections is open. It begins before the release."""
    return 15 + 0.02 * candidates
