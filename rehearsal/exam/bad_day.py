"""A bad day: a power cut, a wrong announcement, double clicks, and staff who end everybody by mistake."""

from collections.abc import Sequence

from rehearsal.client import UnexpectedResponse
from rehearsal.exam.attempts import PaperAttempt
from rehearsal.exam.papers import RehearsedPaper
from rehearsal.exam.scenarios import Intervention
from rehearsal.exam.script import ExamScript, Step, attempts_at, share_of


class BadDayScript(ExamScript):
    """What staff do on a bad day. At its end every candidate has their full time and exact marks."""

    _ended: Sequence[str] = ()
    """The attempts that were ended by mistake."""

    def _first_paper(self, paper: RehearsedPaper) -> Sequence[Step]:
        seconds, proctor = paper.seconds, self._proctor
        wrong, right = "Question 2 is dropped.", "Correction: question 2 counts. Answer it as it is printed."
        return [
            (0.15, lambda: self._cut_power(paper)),
            (0.2, self._pause),
            (0.22, lambda: proctor.announce(f"{paper.code}: {wrong}", times=2)),
            (0.25, lambda: proctor.announce(f"{paper.code}: {right}")),
            (0.28, lambda: self._void_by_mistake(paper)),
            (0.33, lambda: self._end_everybody_by_mistake(paper)),
            (0.5, lambda: self._return_power(paper)),
            (0.55, lambda: self._undo_the_end(paper)),
            (0.57, self._resume),
            (0.6, lambda: self._extend_twice(share_of(0.05, seconds))),
        ]

    async def _cut_power(self, paper: RehearsedPaper) -> None:
        """The devices of the hall send nothing from now on."""
        hall = attempts_at(paper, self._with(Intervention.PAUSED))
        for attempt in hall:
            attempt.interruption.has_power = False
        self._proctor.report(f"power cut: {len(hall)} candidates")

    async def _return_power(self, paper: RehearsedPaper) -> None:
        for attempt in attempts_at(paper, self._with(Intervention.PAUSED)):
            attempt.interruption.has_power = True
        self._proctor.report("power returns")

    async def _extend_twice(self, seconds: int) -> None:
        """Make up for the time between the power cut and the pause. The proctor clicks twice."""
        await self._proctor.apply("extend", self._paused, seconds, times=2)

    async def _void_by_mistake(self, paper: RehearsedPaper) -> None:
        """Void the attempt of the wrong candidate, and take it back with a double click."""
        mistaken = attempts_at(paper, self._with(Intervention.VOIDED_BY_MISTAKE))
        _mark(mistaken, is_ended_by_mistake=True)
        try:
            voided = await self._apply("void", Intervention.VOIDED_BY_MISTAKE)
            await self._proctor.apply("reopen", voided, times=2)
        finally:
            _mark(mistaken, is_ended_by_mistake=False)

    async def _end_everybody_by_mistake(self, paper: RehearsedPaper) -> None:
        """End all attempts at the paper. The server must leave out the paused and those with extra time."""
        _mark(attempts_at(paper, self._candidates), is_ended_by_mistake=True)
        self._ended = await self._proctor.apply_to_all("submit", paper.paper_id)
        left_out = {
            attempt.attempt_id
            for candidate in self._candidates
            if candidate.scenario.has_extra_time or candidate.scenario.intervention is Intervention.PAUSED
            for attempt in candidate.started_attempts
        }
        if wrong := left_out & set(self._ended):
            raise UnexpectedResponse(f"{len(wrong)} attempts with extra time or paused were ended with all")

    async def _undo_the_end(self, paper: RehearsedPaper) -> None:
        """Reopen the attempts that were ended by mistake, with a double click."""
        try:
            reopened = await self._proctor.apply("reopen", self._ended, times=2)
        finally:
            _mark(attempts_at(paper, self._candidates), is_ended_by_mistake=False)
        if set(reopened) != set(self._ended):
            raise UnexpectedResponse(f"{len(self._ended)} attempts were ended, and {len(reopened)} reopened")


def _mark(attempts: Sequence[PaperAttempt], *, is_ended_by_mistake: bool) -> None:
    for attempt in attempts:
        attempt.interruption.is_ended_by_mistake = is_ended_by_mistake
