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
