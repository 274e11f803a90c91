"""What staff do during the rehearsed exam, at shares of each paper's time."""

from collections.abc import Awaitable, Callable, Iterable, Sequence

from rehearsal.client import UnexpectedResponse
from rehearsal.exam.attempts import PaperAttempt
from rehearsal.exam.candidates import SimulatedCandidate
from rehearsal.exam.papers import RehearsedPaper
from rehearsal.exam.scenarios import Intervention
from rehearsal.exam.staff import ExamAuthor, Proctor

Step = tuple[float, Callable[[], Awaitable[object]]]


class ExamScript:
    """The steps, one after the other. A step that an outage delays is done after it.

    `skipped` are the steps that came after the attempts that they were meant for.
    """

    def __init__(
        self, author: ExamAuthor, proctor: Proctor, candidates: Sequence[SimulatedCandidate]
    ) -> None:
        self.problems: list[str] = []
        self.skipped: list[str] = []
        self._author = author
        self._proctor = proctor
        self._candidates = candidates
        self._paused: Sequence[str] = ()

    async def before(self, seconds: int) -> None:
        """Grant extra time to a group, and to single candidates, whose own grant replaces the group's."""
        own = [(each.number, each.user_id) for each in self._candidates if each.scenario.has_own_grant]
        await self._proctor.grant(share_of(0.25, seconds), group="pwbd")
        await self._proctor.grant(share_of(0.1, seconds), people=own)

    async def during(self, paper: RehearsedPaper) -> None:
        """Do the steps of one paper."""
        for share, step in self._first_paper(paper) if paper.index == 0 else self._later_paper(paper):
            await paper.clock.wait_until(paper.window.at(share))
            try:
                await step()
            except UnexpectedResponse as error:
                self.problems.append(f"{paper.code}: {error}")

    async def admit_late(self) -> None:
        """Admit the late answers of one candidate."""
        for candidate in self._with(Intervention.ADMITTED):
            attempt = next(iter(candidate.started_attempts), None)
            if attempt is None or not attempt.log.late:
                self.skipped.append("the candidate whose late answers are admitted has none")
                continue
            await self._proctor.apply("admit-late", [attempt.attempt_id])
            attempt.log.admit()

    def _first_paper(self, paper: RehearsedPaper) -> Sequence[Step]:
        seconds, proctor = paper.seconds, self._proctor
        return [
            (0.2, lambda: proctor.announce(f"Question 2 of {paper.code} is dropped.")),
            (0.3, lambda: self._grant(share_of(0.2, seconds))),
            (0.35, lambda: self._extend(share_of(0.15, seconds))),
            (0.4, self._pause),
            (0.48, self._release_too_early),
            (0.55, self._resume),
            (0.65, self._submit),
            (0.7, self._void),
        ]

    def _later_paper(self, paper: RehearsedPaper) -> Sequence[Step]:
        seconds, proctor = paper.seconds, self._proctor
        return [
            (0.3, lambda: proctor.announce(f"{paper.code}: everybody gets a little more time.")),
            (0.6, lambda: proctor.apply_to_all("extend", paper.paper_id, share_of(0.05, seconds))),
        ]

    async def _grant(self, seconds: int) -> None:
        people = [(each.number, each.user_id) for each in self._with(Intervention.GRANTED)]
        await self._proctor.grant(seconds, people=people)

    async def _extend(self, seconds: int) -> None:
        await self._apply("extend", Intervention.EXTENDED, seconds)

    async def _pause(self) -> None:
        self._paused = await self._apply("pause", Intervention.PAUSED)

    async def _resume(self) -> None:
        resumed = await self._proctor.apply("resume", self._paused)
        if len(resumed) < len(self._paused):
            self.skipped.append(f"resume: {len(resumed)} of {len(self._paused)} attempts")

    async def _submit(self) -> None:
        await self._apply("submit", Intervention.SUBMITTED)

    async def _void(self) -> None:
        voided = await self._apply("void", Intervention.VOIDED)
        for candidate in self._candidates:
            for attempt in candidate.started_attempts:
                attempt.is_voided |= attempt.attempt_id in voided

    async def _release_too_early(self) -> None:
        """Try to release the results. A paused attempt does not end, so the server must refuse it."""
        if self._paused:
            await self._author.release_too_early()
        else:
            self.skipped.append("release: no attempt was paused, so that it could have succeeded")

    def _with(self, intervention: Intervention) -> list[SimulatedCandidate]:
        return [each for each in self._candidates if each.scenario.intervention is intervention]

    async def _apply(
        self, verb: str, intervention: Intervention, seconds: int | None = None
    ) -> Sequence[str]:
        """Apply an action to the attempts at the first paper, and return the ids of those that changed."""
        candidates = self._with(intervention)
        running = [attempt.attempt_id for each in candidates for attempt in _running_first(each)]
        changed = await self._proctor.apply(verb, running, seconds)
        if len(changed) < len(candidates):
            self.skipped.append(f"{verb}: {len(changed)} of {len(candidates)} attempts")
        return changed


def attempts_at(paper: RehearsedPaper, candidates: Iterable[SimulatedCandidate]) -> list[PaperAttempt]:
    """The attempts of these candidates at a paper, also those that have not started yet."""
    return [attempt for each in candidates for attempt in each.attempts if attempt.paper is paper]


def _running_first(candidate: SimulatedCandidate) -> list[PaperAttempt]:
    """The candidate's attempt at the first paper, if it has started and is not over."""
    return [each for each in candidate.started_attempts if each.paper.index == 0 and not each.is_over]


def share_of(share: float, seconds: int) -> int:
    """A share of the seconds, at least one."""
    return max(1, round(share * seconds))
