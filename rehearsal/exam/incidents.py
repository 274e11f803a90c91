"""What happens in the hall: the script of the rehearsal, by shares of a paper's time."""

from collections.abc import Awaitable, Callable, Sequence

from rehearsal.client import Unexpected
from rehearsal.exam.candidates import Candidate
from rehearsal.exam.cast import Fate
from rehearsal.exam.halls import PaperHall
from rehearsal.exam.staff import ExamAuthor, Proctor

Scene = tuple[float, Callable[[], Awaitable[None]]]


class Incidents:
    """One step after the other; what is late because something was killed, happens then."""

    def __init__(self, author: ExamAuthor, proctor: Proctor, candidates: Sequence[Candidate]) -> None:
        self.problems: list[str] = []
        self._author = author
        self._proctor = proctor
        self._candidates = candidates

    async def before(self, seconds: int) -> None:
        """Extra time that is known before: of a group, and of people, whose own beats their group's."""
        own = [(each.number, each.user_id) for each in self._candidates if each.part.has_own_grant]
        await self._proctor.grant(_share(0.25, seconds), group="pwbd")
        await self._proctor.grant(_share(0.1, seconds), people=own)

    async def during(self, hall: PaperHall) -> None:
        """Everything that befalls those who sit a paper."""
        for share, scene in self._first(hall) if hall.place == 0 else self._later(hall):
            await hall.time.wait_until(hall.window.at(share))
            try:
                await scene()
            except Unexpected as error:
                self.problems.append(f"{hall.code}: {error}")

    async def admit_late(self) -> None:
        """Let the late answers of one count."""
        admitted = [each for each in self._with(Fate.ADMITTED) if each.begun]
        for candidate in admitted:
            sitting = candidate.begun[0]
            if not sitting.log.late:
                self.problems.append("whose late answers were to be admitted, has none")
            await self._proctor.steer("admit-late", [sitting.attempt_id])
            sitting.log.admit()

    def _first(self, hall: PaperHall) -> Sequence[Scene]:
        seconds, proctor = hall.seconds, self._proctor
        return [
            (0.2, lambda: proctor.announce(f"Question 2 of {hall.code} is dropped.")),
            (0.3, lambda: self._grant(_share(0.2, seconds))),
            (0.35, lambda: self._steer("extend", Fate.EXTENDED, _share(0.15, seconds))),
            (0.4, lambda: self._steer("pause", Fate.PAUSED)),
            (0.48, lambda: self._release_too_early(hall)),
            (0.55, lambda: self._steer("resume", Fate.PAUSED)),
            (0.65, lambda: self._steer("submit", Fate.FORCED)),
            (0.7, lambda: self._steer("void", Fate.VOIDED)),
        ]

    def _later(self, hall: PaperHall) -> Sequence[Scene]:
        seconds, proctor = hall.seconds, self._proctor
        return [
            (0.3, lambda: proctor.announce(f"{hall.code}: everybody gets a little more time.")),
            (0.6, lambda: proctor.steer_all("extend", hall.paper_id, _share(0.05, seconds))),
        ]

    async def _release_too_early(self, hall: PaperHall) -> None:
        """It must be refused; where nobody sits it would not be."""
        sittings = [sitting for each in self._candidates for sitting in each.begun if sitting.hall is hall]
        if any(not sitting.is_over for sitting in sittings):
            await self._author.release_too_early()

    def _with(self, fate: Fate) -> list[Candidate]:
        return [each for each in self._candidates if each.part.fate is fate]

    async def _grant(self, seconds: int) -> None:
        people = [(each.number, each.user_id) for each in self._with(Fate.GRANTED)]
        await self._proctor.grant(seconds, people=people)

    async def _steer(self, verb: str, fate: Fate, seconds: int | None = None) -> None:
        begun = [each.begun[0] for each in self._with(fate) if each.begun]
        running = [sitting.attempt_id for sitting in begun if sitting.hall.place == 0 and not sitting.is_over]
        await self._proctor.steer(verb, running, seconds)


def _share(share: float, seconds: int) -> int:
    return max(1, round(share * seconds))
