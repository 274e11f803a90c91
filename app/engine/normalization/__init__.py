"""Normalization: the scores of several sessions (shifts) of one exam on one scale.

The methods of Indian examining bodies. Each is a module of its own, and is listed here once. They assume that
the candidates of all sessions are equally able, as if they had been allotted by chance. Sessions of unequal
ability need anchor items: see app.engine.equating. docs/sessions.md compares the methods.

Everything is computed with exact fractions and rounded once. Ranks compare the published scores, so that a
candidate can verify a tie.
"""

from collections.abc import Mapping

from app.engine.normalization.base import (
    NormalizationMethod,
    NormalizationUndefined,
    Scale,
    percentiles,
    rounded,
)
from app.engine.normalization.equipercentile import Equipercentile
from app.engine.normalization.nta_percentile import NtaPercentile
from app.engine.normalization.ssc_2019 import Ssc2019

__all__ = [
    "NORMALIZATION_METHODS",
    "NormalizationMethod",
    "NormalizationUndefined",
    "Scale",
    "percentiles",
    "rounded",
]

_METHODS: tuple[NormalizationMethod, ...] = (NtaPercentile(), Ssc2019(), Equipercentile())

NORMALIZATION_METHODS: Mapping[str, NormalizationMethod] = {method.name: method for method in _METHODS}
