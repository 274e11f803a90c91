"""The analysis of a test: everything that staff and candidates' figures need to know of its results.

`analyze` returns a document as it is stored. It runs in a child process: it takes and returns plain data.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import isfinite, sqrt, tanh

import numpy as np
from numpy.typing import NDArray
from scipy import special

from app.engine.statistics import distractors
from app.engine.statistics.distractors import Flag, option_counts, score_groups
from app.engine.statistics.group_differences import differences
from app.engine.statistics.item_analysis import (
    ItemStatistics,
    ScoreStatistics,
    item_statistics,
    score_statistics,
    statistics_of_chosen,
)
from app.engine.statistics.item_response import item_response
from app.engine.statistics.result_data import Floats, JsonObject, Membership, ResultData, interval, number

MIN_ANALYZED = 10
"""Below this number of attempts, correlations say nothing."""
MIN_GROUP_SIZE = 20
"""Figures of a smaller group of candidates are hidden: they would say too much of single ones."""
SCORE_GROUPS = 5
HARDER_FOR_GROUP = "harder_for_group"
EASIER_FOR_GROUP = "easier_for_group"

_ITEMS_AT_ONCE = 10
_LARGE_DIFFERENCE = "C"
_ALL = slice(None)


@dataclass(frozen=True, slots=True)
class Analysis:
    """What is stored of an analysis. Lists by question are in the order of the paper."""

    attempts: int
    mean: float | None
    standard_deviation: float | None
    alpha: float | None
    standard_error: float | None
    median_ms: list[int | None]
    option_counts: list[list[int]]
    document: JsonObject


def analyze(data: ResultData) -> Analysis:
    """Analyze the results of a test. With fewer than ten attempts only counts are made."""
    attempts = len(data.marks)
    groups = score_groups(data.marks.sum(axis=1), SCORE_GROUPS)
    counts = list(_counts_by_item(data, groups))
    enough = attempts >= MIN_ANALYZED
    whole = _part(data)
    statistics = whole.item_statistics(MIN_ANALYZED) if enough else None
    scores = whole.score_statistics() if enough else None
    compared = differences(data)
    document = {
        "scores": _scores(scores, whole.items) if scores else None,
        "items": _items(data, whole, statistics) if statistics else None,
        "sections": list(_sections(data)) if enough else [],
        "languages": _languages(data),
        "score_groups": np.bincount(groups, minlength=SCORE_GROUPS).tolist(),
        "options": [item.tolist() for item in counts],
        "irt": item_response(data) if enough else None,
        "dif": compared,
        "flags": [*(_flags(data, counts, statistics) if statistics else []), *_difference_flags(compared)],
    }
    return Analysis(
        attempts=attempts,
        mean=number(scores.mean) if scores else None,
        standard_deviation=number(scores.standard_deviation) if scores else None,
        alpha=number(scores.alpha) if scores else None,
        standard_error=number(scores.standard_error) if scores else None,
        median_ms=_median_times(data),
        option_counts=[item.sum(axis=0).tolist() for item in counts],
        document=document,
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """Some attempts at some questions: arrays as in `ResultData`."""

    marks: Floats
    max_marks: Floats
    measured: NDArray[np.bool_]
    asked: NDArray[np.bool_] | None

    @property
    def items(self) -> int:
        """The number of questions that are not dropped."""
        return int(self.measured.sum())

    def attempts_at(self, place: int) -> int:
        """How many attempts the figures of a question rest on."""
        return len(self.marks) if self.asked is None else int(self.asked[:, place].sum())

    def item_statistics(self, fewest: int) -> ItemStatistics:
        """Where candidates choose, a question needs so many who have answered it."""
        found = item_statistics(self.marks, self.max_marks, self.measured)
        if self.asked is None:
            return found
        return statistics_of_chosen(found, self.marks, self.max_marks, self.asked, fewest)

    def score_statistics(self) -> ScoreStatistics:
        """Where candidates choose, not all have the same items, which alpha and the errors rest on."""
        found = score_statistics(self.marks, self.measured)
        if self.asked is None:
            return found
        return replace(found, alpha=np.nan, error_ratio=np.nan, standard_error=np.nan)


def _part(
    data: ResultData, rows: NDArray[np.bool_] | slice = _ALL, places: list[int] | slice = _ALL
) -> _Part:
    asked, measured = data.asked, data.measured[places]
    part = asked[rows][:, places] if asked is not None else None
    if part is not None and part[:, measured].all():
        part = None
    return _Part(data.marks[rows][:, places], data.max_marks[places], measured, part)


def _counts_by_item(data: ResultData, groups: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    """For each question, how often each option was chosen: [group, option], then blank, then other answers.

    Some questions at a time: the cells of all of them would take much memory.
    """
    widest = max((question.listed_options for question in data.questions), default=0)
    for start in range(0, len(data.questions), _ITEMS_AT_ONCE):
        counted = option_counts(data.choices[:, start : start + _ITEMS_AT_ONCE], groups, widest)
        wide = np.zeros((SCORE_GROUPS, *counted.shape[1:]), dtype=np.int64)
        wide[: len(counted)] = counted
        for place, question in enumerate(data.questions[start : start + _ITEMS_AT_ONCE]):
            item = wide[:, place]
            yield np.concatenate([item[:, : question.listed_options], item[:, widest:]], axis=1)


def _median_times(data: ResultData) -> list[int | None]:
    """The median time of those who opened the question; None if fewer than 20 did."""
    medians: list[int | None] = []
    for place in range(len(data.questions)):
        times = data.times_ms[:, place]
        known = times[times > 0]
        medians.append(int(np.median(known)) if len(known) >= MIN_GROUP_SIZE else None)
    return medians


def _scores(found: ScoreStatistics, items: int) -> JsonObject:
    mean_error = found.standard_deviation / sqrt(found.attempts)
    return {
        "attempts": found.attempts,
        "mean": number(found.mean),
        "mean_interval": interval(found.mean, mean_error),
        "median": number(found.median),
        "standard_deviation": number(found.standard_deviation),
        "skewness": number(found.skewness),
        "kurtosis": number(found.kurtosis),
        "alpha": number(found.alpha),
        "alpha_interval": _alpha_interval(found.alpha, found.attempts, items),
        "error_ratio": number(found.error_ratio),
        "standard_error": number(found.standard_error),
    }


def _alpha_interval(alpha: float, attempts: int, items: int) -> JsonObject | None:
    """The 90 % interval of alpha: Feldt, Woodruff and Salih (1987), "Statistical inference for coefficient
    alpha", Applied Psychological Measurement 11.
    """
    if not isfinite(alpha) or items < 2:
        return None
    people, cells = attempts - 1, (attempts - 1) * (items - 1)
    high, low = (1 - (1 - alpha) * float(special.fdtri(people, cells, tail)) for tail in (0.05, 0.95))
    return {"low": number(low), "high": number(high)}


def _items(data: ResultData, whole: _Part, found: ItemStatistics) -> list[JsonObject | None]:
    """The figures of each question. A dropped one has none: it is no part of the test."""
    return [
        None if question.is_dropped else _item(data, found, place, whole.attempts_at(place))
        for place, question in enumerate(data.questions)
    ]


def _item(data: ResultData, found: ItemStatistics, place: int, attempts: int) -> JsonObject:
    question, letters = data.questions[place], data.letters[:, place]
    facility = float(found.facility[place])
    error = float(found.standard_deviation[place]) / question.max_marks / sqrt(max(attempts, 1))
    discrimination = float(found.discrimination_index[place])
    return {
        "attempts": attempts,
        "facility": number(facility),
        "facility_interval": interval(facility, error),
        "guess_facility": number(_guess_facility(data, place)),
        "standard_deviation": number(found.standard_deviation[place]),
        "intended_weight": number(found.intended_weight[place]),
        "effective_weight": number(found.effective_weight[place]),
        "discrimination_index": number(discrimination),
        "discrimination_interval": _correlation_interval(discrimination, attempts),
        "discriminative_efficiency": number(found.discriminative_efficiency[place]),
        "correct": int((letters == ord("c")).sum()),
        "incorrect": int((letters == ord("i")).sum()),
        "partial": int((letters == ord("p")).sum()),
        "unattempted": int((letters == ord("u")).sum()),
    }


def _guess_facility(data: ResultData, place: int) -> float:
    """The facility if everybody guessed: Moodle's random guess score."""
    question = data.questions[place]
    if question.options == 0 or question.right_option < 0:
        return np.nan
    right = 1 / question.options
    return right + (1 - right) * question.wrong_marks / question.max_marks


def _correlation_interval(percent: float, attempts: int) -> JsonObject | None:
    """The 90 % interval of a correlation in percent, by Fisher's transformation."""
    if not isfinite(percent) or abs(percent) >= 100 or attempts <= 3:
        return None
    around = interval(float(np.arctanh(percent / 100)), 1 / sqrt(attempts - 3))
    return {end: number(100 * tanh(around[end])) for end in ("low", "high")} if around else None


def _sections(data: ResultData) -> Iterator[JsonObject]:
    """Each section as a test of its own."""
    for section in sorted({question.section for question in data.questions}):
        places = [place for place, question in enumerate(data.questions) if question.section == section]
        part = _part(data, places=places)
        yield {
            "section": section,
            "positions": [place + 1 for place in places],
            "scores": _scores(part.score_statistics(), part.items),
            "items": _short_items(part, MIN_ANALYZED),
        }


def _languages(data: ResultData) -> list[JsonObject]:
    """The test by the language of the answers, sorted. Languages with fewer than 20 attempts are left out."""
    division = data.groups.get("language")
    return list(_by_group(data, division)) if division else []


def _by_group(data: ResultData, division: Membership) -> Iterator[JsonObject]:
    for name in sorted(division.names):
        part = _part(data, rows=division.places == division.names.index(name))
        if len(part.marks) >= MIN_GROUP_SIZE:
            yield {
                "language": name,
                "scores": _scores(part.score_statistics(), part.items),
                "items": _short_items(part, MIN_GROUP_SIZE),
            }


def _short_items(part: _Part, fewest: int) -> list[JsonObject]:
    found = part.item_statistics(fewest)
    return [
        {
            "attempts": part.attempts_at(place),
            "facility": number(found.facility[place]),
            "discrimination_index": number(found.discrimination_index[place]),
        }
        for place in range(len(part.max_marks))
    ]


def _flags(
    data: ResultData, counts: Sequence[NDArray[np.int64]], found: ItemStatistics
) -> Iterator[JsonObject]:
    """What is unusual, question by question. A dropped question has no flag.

    The option that means "not attempted" counts as a blank. Where candidates choose which questions they
    answer, a blank says nothing of the question.
    """
    for place, question in enumerate(data.questions):
        if question.is_dropped:
            continue
        item = np.concatenate([counts[place][:, : question.options], counts[place][:, -2:]], axis=1)
        if question.is_optional:
            item[:, -2] = 0
        for flagged in distractors.flags(
            _without_empty(item)[:, None],
            np.array([question.right_option]),
            found.discrimination_index[place : place + 1],
            found.discriminative_efficiency[place : place + 1],
        ):
            yield _flag(flagged.flag, place, option=flagged.option)


def _without_empty(item: NDArray[np.int64]) -> NDArray[np.int64]:
    """The groups that somebody is in. With many equal totals the highest groups may be empty."""
    filled: NDArray[np.int64] = item[item.sum(axis=1) > 0]
    return filled


def _difference_flags(compared: Sequence[JsonObject]) -> Iterator[JsonObject]:
    """Questions that differ much between groups of equal ability."""
    for comparison in compared:
        for place, item in enumerate(comparison["items"]):
            if item is not None and item["ets_class"] == _LARGE_DIFFERENCE:
                kind = HARDER_FOR_GROUP if (item["delta"] or 0) < 0 else EASIER_FOR_GROUP
                yield _flag(kind, place, by=comparison["by"], group=comparison["focal"])


def _flag(
    flag: Flag | str,
    place: int,
    *,
    option: int | None = None,
    by: str | None = None,
    group: str | None = None,
) -> JsonObject:
    return {"flag": str(flag), "position": place + 1, "option": option, "by": by, "group": group}
