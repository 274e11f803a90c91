"""What a candidate should do next, and what the candidate does not want to see (docs/decisions/0068)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

from app.core.errors import NotFound
from app.engine.recommending import Action, rank
from app.engine.streaks import day_of
from app.models import LocalizedText
from app.services.analytics import situation
from app.services.analytics.recommendation_wording import basis_of, missing, title_and_reason
from app.services.analytics.situation import KnownSituation
from app.services.unit_of_work import Reading, UnitOfWork
from app.services.users import Principal

NAMESPACE = UUID("6f1f2c1e-0d53-5a52-9a55-3c1f5d0c9c11")
"""Of the ids of recommendations. Its value has no meaning."""
_NAMELESS: LocalizedText = {}


@dataclass(frozen=True, slots=True)
class Recommendation:
    """An action with its id and its sentences."""

    id: UUID
    action: Action
    title: LocalizedText
    reason: LocalizedText
    basis: LocalizedText
    missing: LocalizedText | None
    """Why no gain is stated; None if it is."""


async def recommendations(reads: Reading, user: Principal, now: datetime) -> Sequence[Recommendation]:
    """The actions with the largest gain per minute first, without those that were dismissed."""
    known = await situation.gather(reads, user, now)
    zone = ZoneInfo(user.timezone)
    return await advise(reads, user, known, day_of(now, zone))


async def advise(
    reads: Reading, user: Principal, known: KnownSituation, today: date
) -> Sequence[Recommendation]:
    """The recommendations in a situation."""
    dismissed = await reads.advice.dismissals(user.id)

    def is_unwanted(action: Action) -> bool:
        return action.evidence < dismissed.get(id_of(user, action), 0)

    ranked = rank(known.situation, today.toordinal(), is_unwanted)
    return [_recommendation(user, action, known) for action in ranked]


async def find(reads: Reading, user: Principal, recommendation_id: UUID, now: datetime) -> Recommendation:
    """One of the recommendations that the user has now. Raises NotFound."""
    for each in await recommendations(reads, user, now):
        if each.id == recommendation_id:
            return each
    raise NotFound("recommendation")


async def dismiss(uow: UnitOfWork, user: Principal, recommendation_id: UUID, now: datetime) -> None:
    """Leave a recommendation out until there is something new. The second time changes nothing.

    Raises NotFound for what was never recommended to the user.
    """
    found = [each.action for each in await recommendations(uow, user, now) if each.id == recommendation_id]
    if found:
        until = found[0].evidence + found[0].again_after
        await uow.advice.dismiss(user.id, recommendation_id, until, now)
    elif recommendation_id not in await uow.advice.dismissals(user.id):
        raise NotFound("recommendation")


def id_of(user: Principal, action: Action) -> UUID:
    """The same advice to the same person has the same id."""
    return uuid5(NAMESPACE, f"{user.id} {action.kind} {action.target or action.ground}")


def _recommendation(user: Principal, action: Action, known: KnownSituation) -> Recommendation:
    target = action.target or UUID(int=0)
    subject = known.subject_of.get(target, target)
    title, reason = title_and_reason(
        action, known.names.get(target, _NAMELESS), known.names.get(subject, _NAMELESS)
    )
    return Recommendation(
        id=id_of(user, action),
        action=action,
        title=title,
        reason=reason,
        basis=basis_of(action),
        missing=None if action.is_stated else missing(action),
    )
