"""How big a rehearsed exam is, and where it happens."""

from dataclasses import dataclass

from app.cli.home import Home


@dataclass(frozen=True, slots=True)
class ExamOptions:
    """`seconds` is the time of all papers together."""

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

    @property
    def paper_seconds(self) -> int:
        """How long each paper's test takes."""
        return max(1, self.seconds // self.papers)
