"""The options of a rehearsed exam."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class ExamOptions:
    """The size of the exam and the installation that it uses.

    `seconds` is the duration of each paper's test, `run_file` the run.json of `ias up`.
    """

    api_url: str
    run_file: Path
    candidates: int
    questions: int
    seconds: int
    papers: int
    devices: int
    seed: int
    kill: tuple[str, ...] = ()
    sockets: bool = True
    bad_day: bool = False


def usual_minutes(candidates: int) -> float:
    """The duration of a paper unless another one is wanted.

    It is longer for more candidates, so that a machine with two cores can serve them: they send as many
    requests as those of a real paper, in a small part of its time.
    """
    return max(2.0, candidates / 500)
