"""What answers say of abilities: the posterior distribution of each person over the nodes."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.engine.statistics.irt.model import Floats, Items, node_weights, nodes, probabilities

_BATCH = 20_000
_MIN_PROBABILITY = 1e-12


@dataclass(frozen=True, slots=True, eq=False)
class Responses:
    """The answers of people (rows) to items (columns).

    `shares` is 1 for right, 0 for wrong, and a share between them for a blank, such as 1 / options: what a
    blind guess earns on average. Under negative marking this estimates abilities with the least bias. `seen`
    is False for an item that the person was not given; None if everybody was given everything. `weights`
    counts equal rows.
    """

    shares: NDArray[np.floating]
    seen: NDArray[np.bool_] | None = None
    weights: Floats | None = None

    def batches(self) -> Iterator["Responses"]:
        """The same people in parts, so that a million of them fit in memory."""
        for start in range(0, len(self.shares), _BATCH):
            part = slice(start, start + _BATCH)
            yield Responses(
                self.shares[part],
                None if self.seen is None else self.seen[part],
                None if self.weights is None else self.weights[part],
            )

    def counts(self) -> Floats:
        """How many people each row stands for."""
        return np.ones(len(self.shares)) if self.weights is None else self.weights


@dataclass(frozen=True, slots=True, eq=False)
class Abilities:
    """The ability of each person as expected a posteriori (EAP), with its standard error."""

    estimate: Floats
    standard_error: Floats


def posterior(responses: Responses, items: Items) -> tuple[Floats, Floats]:
    """Return each person's posterior over the nodes (rows sum to 1) and the logarithm of the likelihood."""
    curve = np.clip(probabilities(items, nodes()), _MIN_PROBABILITY, 1 - _MIN_PROBABILITY)
    right, wrong = np.log(curve), np.log1p(-curve)
    shares = responses.shares
    if responses.seen is None:
        logarithm = shares @ (right - wrong).astype(shares.dtype) + wrong.sum(axis=0)
    else:
        given = responses.seen.astype(shares.dtype)
        logarithm = (shares * given) @ (right - wrong) + given @ wrong
    logarithm = logarithm.astype(np.float64)
    largest = logarithm.max(axis=1, keepdims=True)
    likelihood = np.exp(logarithm - largest) * node_weights()
    total = likelihood.sum(axis=1, keepdims=True)
    return likelihood / total, (np.log(total) + largest)[:, 0]


def abilities(responses: Responses, items: Items) -> Abilities:
    """Return the ability of each person. Somebody who was given no item has 0 with a standard error of 1."""
    points = nodes()
    means, errors = [], []
    for batch in responses.batches():
        share, _ = posterior(batch, items)
        mean = share @ points
        means.append(mean)
        errors.append(np.sqrt(np.maximum(share @ points**2 - mean**2, 0)))
    return Abilities(np.concatenate(means), np.concatenate(errors))
