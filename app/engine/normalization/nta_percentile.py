"""NTA's percentile scores: JEE Main, UGC-NET and others."""

from collections.abc import Sequence

from app.engine.normalization.base import NormalizationMethod, Scale, percentiles
from app.engine.ranking import Histogram


class NtaPercentile(NormalizationMethod):
    """100 * (candidates of the session with at most this raw score) / (candidates of the session).

    The sessions are merged by this score, from 0 (exclusive) to 100. The best of every session has 100.
    Source: NTA, "Normalization procedure based on percentile score".
    """

    name = "nta_percentile"
    places = 7

    def exact(self, sessions: Sequence[Histogram]) -> list[Scale]:
        return [{raw: 100 * share for raw, share in percentiles(session).items()} for session in sessions]
