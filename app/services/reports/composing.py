"""Composes the content of a report. Runs in a child process: it imports numpy."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.engine.statistics.distractors import score_groups
from app.engine.statistics.irt.model import Items
from app.engine.statistics.irt.posterior import Responses, abilities
from app.engine.statistics.test_analysis import MIN_GROUP_SIZE, SCORE_GROUPS
from app.services.analytics.answer_patterns import Patterns, patterns_of
from app.services.reports import wording
from app.services.reports.content import (
    ItemCurve,
    MaterialItem,
    ObservedShare,
    OptionShares,
    ReportContent,
    ReportItem,
    ReportMaterial,
    ScoreBar,
    labels_of,
)

Floats = NDArray[np.float64]
Json = Mapping[str, Any]

_BARS = 24
_ABILITY_GROUPS = 10
_GROUPS = ("weakest fifth", "2nd", "3rd", "4th", "best fifth")


def compose(material: ReportMaterial) -> ReportContent:
    """What the report says."""
    analysis = material.analysis or {}
    has_items = bool(analysis.get("items"))
    composer = _Composer(material, analysis)
    items = composer.items() if has_items else []
    scores = np.array(material.sheets.scores)
    differences = wording.differences(analysis)
    return ReportContent(
        title=material.title,
        subtitle=material.subtitle,
        rests_on=material.rests_on,
        look_first=wording.look_first(material, items),
        missing=wording.missing(material),
        facts=wording.facts(material, items) if analysis.get("scores") else [],
        scores=_bars(scores) if has_items else [],
        mean=float(scores.mean()) if has_items else None,
        max_score=material.max_score,
        model=wording.model(analysis),
        groups=_GROUPS,
        items=items,
        comparisons=wording.comparisons(analysis),
        differences=differences,
        abilities=_ability_bars(composer.estimates) if composer.estimates is not None else [],
    )


class _Composer:
    """The questions of the report, from the analysis and the answer sheets."""

    def __init__(self, material: ReportMaterial, analysis: Json) -> None:
        self._material, self._analysis = material, analysis
        width, sheets = len(material.items), material.sheets
        self._patterns: Patterns = patterns_of(sheets.answers, width)
        letters = "".join(sheets.outcomes).encode()
        self._letters = np.frombuffer(letters, np.uint8).reshape(-1, width or 1)
        self._groups = score_groups(np.array(sheets.scores), SCORE_GROUPS)
        self._calibration: Json | None = analysis.get("irt")
        self.estimates = self._abilities()
        """The ability of each sheet; None without a calibration."""

    def items(self) -> list[ReportItem]:
        return [self._item(place, item) for place, item in enumerate(self._material.items)]

    def _item(self, place: int, item: MaterialItem) -> ReportItem:
        found: Json = self._analysis["items"][place] or {}
        median = self._material.median_ms[place]
        options = list(self._options(place, item))
        flags = wording.flags_of(self._analysis, place, options)
        return ReportItem(
            number=place + 1,
            text=item.text,
            right=item.right,
            facility=found.get("facility"),
            discrimination=found.get("discrimination_index"),
            efficiency=found.get("discriminative_efficiency"),
            blank=float((self._letters[:, place] == ord("u")).mean()),
            median_seconds=None if median is None else median / 1000,
            options=options,
            curve=self._curve(place),
            findings=[wording.in_sentence(flag, options) for flag in flags],
            is_urgent=any(wording.is_urgent(flag) for flag in flags),
            papers=item.papers if flags else [],
        )

    def _options(self, place: int, item: MaterialItem) -> Iterator[OptionShares]:
        """The share of sheets on which each option is marked, alone or with others."""
        codes = self._patterns.codes[:, place]
        for option_id, label in labels_of(item.option_ids).items():
            answers = self._patterns.answers[place]
            naming = [
                code
                for code, answer in enumerate(answers)
                if isinstance(answer, list) and option_id in answer
            ]
            marked = np.isin(codes, naming)
            yield OptionShares(
                label=label,
                is_right=option_id in item.right_ids,
                share=float(marked.mean()),
                by_group=[_share(marked[self._groups == group]) for group in range(SCORE_GROUPS)],
            )

    def _curve(self, place: int) -> ItemCurve | None:
        found = self._calibration["items"][place] if self._calibration else None
        if found is None or found["difficulty"] is None or found["discrimination"] is None:
            return None
        return ItemCurve(
            discrimination=found["discrimination"],
            difficulty=found["difficulty"],
            difficulty_error=found["difficulty_error"] or 0.0,
            guessing=found["guessing"] or 0.0,
            observed=list(self._observed(place)),
        )

    def _observed(self, place: int) -> Iterator[ObservedShare]:
        if self.estimates is None:
            return
        groups = score_groups(self.estimates, _ABILITY_GROUPS)
        right = self._letters[:, place] == ord("c")
        # Of a blank, the model expects what a blind guess earns: only answers are compared with the curve.
        answered = self._letters[:, place] != ord("u")
        for group in range(_ABILITY_GROUPS):
            members = (groups == group) & answered
            if members.sum() >= MIN_GROUP_SIZE:
                ability, share = float(self.estimates[members].mean()), float(right[members].mean())
                yield ObservedShare(ability, share, int(members.sum()))

    def _abilities(self) -> Floats | None:
        calibrated = self._calibration["items"] if self._calibration else []
        kept = [place for place, each in enumerate(calibrated) if each and None not in each.values()]
        if not kept or not len(self._letters):
            return None
        parameters = (
            np.array([calibrated[place][name] for place in kept], dtype=float)
            for name in ("discrimination", "difficulty", "guessing")
        )
        letters = self._letters[:, kept]
        guess = [self._material.items[place].guess for place in kept]
        blank = letters == ord("u")
        shares = np.where(blank, guess, (letters == ord("c")) + 0.5 * (letters == ord("p")))
        optional = np.array([self._material.items[place].is_optional for place in kept])
        seen = ~(blank & optional) if optional.any() else None
        return abilities(Responses(shares, seen), Items(*parameters)).estimate


def _share(marked: NDArray[np.bool_]) -> float | None:
    """The share of a group; None of one so small that it would say too much of single candidates."""
    return float(marked.mean()) if len(marked) >= MIN_GROUP_SIZE else None


def _bars(scores: Floats) -> list[ScoreBar]:
    low, high = float(scores.min()), float(scores.max())
    steps = np.array([0.5, 1, 2, 5, 10, 20, 50, 100])
    width = float(steps[min(int(np.searchsorted(steps, (high - low) / _BARS)), len(steps) - 1)])
    edges = np.arange(np.floor(low / width), np.floor(high / width) + 2) * width
    return _histogram(scores, edges)


def _ability_bars(estimates: Floats) -> list[ScoreBar]:
    return _histogram(estimates, np.arange(-4, 4.25, 0.25))


def _histogram(values: Floats, edges: Floats) -> list[ScoreBar]:
    counts, _ = np.histogram(values, edges)
    return [
        ScoreBar(low, high, count)
        for low, high, count in zip(edges.tolist(), edges[1:].tolist(), counts.tolist(), strict=False)
    ]
