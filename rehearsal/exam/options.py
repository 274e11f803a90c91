"""How big a rehearsed exam is, and where it happens."""

from dataclasses import dataclass

from app.cli.local.home import Home


@dataclass(frozen=True, slots=True)
class ExamOptions:
    """`seconds` is how long each paper's test takes."""

    api_url: str
    home: Home
    candidates: int
    questions: int
    seconds: int
    papers: int
    devices: int
    seed: int
    kill: tuple[str, ...] = ()
    sockets: bool = True
