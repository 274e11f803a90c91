"""Differential item functioning between groups of candidates, question by question."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from app.engine.statistics.dif import mantel_haenszel, tables_of
from app.engine.statistics.distractors import score_groups
from app.engine.statistics.result_data import JsonObject, Membership, ResultData, number

MIN_COMPARED = 100
"""Of each group. With fewer, only differences that everybody would see anyway are significant (Zieky, 1993,
"Practical questions in the use of DIF statistics in test development").
"""
STRATA = 20


def differences(data: ResultData) -> list[JsonObject]:
    """Compare each group with the reference group of its kind, if both have at least 100 attempts.

    Candidates of about equal total are compared: there are 20 groups of totals. A dropped question, and one
    that all or none of the compared candidates have right, has no figures. Where candidates choose which
    questions they answer, those who have answered the question are compared, if they are enough.
    """
    strata = score_groups(data.marks.sum(axis=1), STRATA)
    right, asked = data.has("c"), data.asked
    return [
        _comparison(data, kind, division, focal, right, asked, strata)
        for kind, division in data.groups.items()
        for focal in _compared(division)
    ]


def _compared(division: Membership) -> Iterator[str]:
    """The names of the groups that are large enough."""
    sizes = {name: int((division.places == place).sum()) for place, name in enumerate(division.names)}
    if sizes.get(division.reference, 0) >= MIN_COMPARED:
        for name, size in sorted(sizes.items()):
            if name != division.reference and size >= MIN_COMPARED:
                yield name


def _comparison(
    data: ResultData,
    kind: str,
    division: Membership,
    focal: str,
    right: NDArray[np.bool_],
    asked: NDArray[np.bool_] | None,
    strata: NDArray[np.int64],
) -> JsonObject:
    reference_place, focal_place = division.names.index(division.reference), division.names.index(focal)
    kept = (division.places == reference_place) | (division.places == focal_place)
    is_focal, own_strata, own_right = division.places[kept] == focal_place, strata[kept], right[kept]
    own_asked = asked[kept] if asked is not None else np.ones_like(own_right)
    items = [
        None if question.is_dropped else _item(own_right[rows, place], is_focal[rows], own_strata[rows])
        for place, question in enumerate(data.questions)
        for rows in [own_asked[:, place]]
    ]
    return {
        "by": kind,
        "reference": division.reference,
        "focal": focal,
        "reference_attempts": int((~is_focal).sum()),
        "focal_attempts": int(is_focal.sum()),
        "items": items,
    }


def _item(right: NDArray[np.bool_], focal: NDArray[np.bool_], strata: NDArray[np.int64]) -> JsonObject | None:
    if min((~focal).sum(), focal.sum()) < MIN_COMPARED:
        return None
    try:
        found = mantel_haenszel(tables_of(right, focal, strata))
    except ValueError:
        return None
    return {
        "odds_ratio": number(found.odds_ratio),
        "delta": number(found.delta),
        "delta_error": number(found.delta_error),
        "probability": number(found.probability),
        "ets_class": found.ets_class,
    }
