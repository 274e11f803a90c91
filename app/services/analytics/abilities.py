"""Abilities by subject, estimated in the background (docs/decisions/0068)."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import groupby
from uuid import UUID

from app.engine.grading import LETTERS
from app.engine.scoring import Outcome
from app.engine.statistics.difficulty_priors import difficulty_prior
from app.models import ItemParameters
from app.repositories.analytics.abilities import FirstAnswer, NewAbility
from app.services.components import Components
from app.services.unit_of_work import UnitOfWork, unit_of_work

CANDIDATES_AT_ONCE = 50
MAX_BATCHES = 20
TASK = "estimate_abilities"
_SHARES = {LETTERS[Outcome.CORRECT]: 1.0, LETTERS[Outcome.INCORRECT]: 0.0, LETTERS[Outcome.PARTIAL]: 0.5}


async def request_estimates(uow: UnitOfWork) -> bool:
    """Add a job if abilities are out of date and no such job is unfinished. Returns whether one was added."""
    is_wanted = await uow.abilities.are_due() and not await uow.jobs.is_waiting(TASK)
    if is_wanted:
        uow.jobs.add(TASK)
    return is_wanted


async def estimate_due(parts: Components, now: datetime) -> int:
    """Estimate abilities that are out of date. Returns the number of candidates.

    There are at most MAX_BATCHES transactions, of up to CANDIDATES_AT_ONCE candidates each.
    """
    total = 0
    for _ in range(MAX_BATCHES):
        async with unit_of_work(parts.engine) as uow:
            count = await estimate(uow, now)
        total += count
        if not count:
            break
    return total


async def estimate(uow: UnitOfWork, now: datetime) -> int:
    """Estimate the abilities of up to CANDIDATES_AT_ONCE candidates, in a thread. Returns their number."""
    user_ids = await uow.abilities.lock_due(CANDIDATES_AT_ONCE)
    answers = await uow.abilities.first_answers(user_ids) if user_ids else []
    known = await uow.test_statistics.parameters({answer.question_id for answer in answers})
    abilities = await asyncio.to_thread(_estimate, answers, known)
    if user_ids:
        await uow.abilities.store(user_ids, abilities, now)
    return len(user_ids)


def _estimate(answers: Sequence[FirstAnswer], known: Mapping[UUID, ItemParameters]) -> list[NewAbility]:
    def user_and_subject(answer: FirstAnswer) -> tuple[UUID, UUID]:
        return answer.user_id, answer.subject_id

    ordered = sorted(answers, key=user_and_subject)
    return [_ability(*key, list(group), known) for key, group in groupby(ordered, key=user_and_subject)]


def _ability(
    user_id: UUID,
    subject_id: UUID,
    answers: Sequence[FirstAnswer],
    known: Mapping[UUID, ItemParameters],
) -> NewAbility:
    """The expected a posteriori (EAP) estimate. The prior is the standard normal distribution."""
    import numpy as np  # noqa: PLC0415 -- loaded when abilities are estimated

    from app.engine.statistics.irt.model import Items  # noqa: PLC0415
    from app.engine.statistics.irt.posterior import Responses, abilities  # noqa: PLC0415

    parameters = [_parameters(answer, known.get(answer.question_id)) for answer in answers]
    items = Items(*(np.array(column) for column in zip(*parameters, strict=True)))
    shares = np.array([[_share(answer) for answer in answers]])
    found = abilities(Responses(shares), items)
    return NewAbility(
        user_id, subject_id, float(found.estimate[0]), float(found.standard_error[0]), len(answers)
    )


def _share(answer: FirstAnswer) -> float:
    """A blank counts as the share that a blind guess earns (docs/decisions/0065)."""
    return _SHARES.get(answer.outcome, answer.guess)


def _parameters(answer: FirstAnswer, known: ItemParameters | None) -> tuple[float, float, float]:
    """Discrimination, difficulty and guessing. Without calibration, the author's label is the difficulty."""
    if known is None:
        return 1.0, difficulty_prior(answer.label).mean, 0.0
    return known.discrimination, known.difficulty, known.guessing
