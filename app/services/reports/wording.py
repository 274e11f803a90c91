"""The sentences of a report."""

from collections.abc import Mapping, Sequence
from typing import Any

from app.services.analytics.flags import in_words
from app.services.analytics.test_statistics import missing_alpha, missing_calibration, missing_items
from app.services.reports.content import (
    GroupDifference,
    OptionShares,
    Point,
    ReportFact,
    ReportItem,
    ReportMaterial,
)

Json = Mapping[str, Any]

MAX_POINTS = 10
_ORDER = (
    "strong_candidates_choose_another_option",
    "negative_discrimination",
    "below_guessing",
    "harder_for_group",
    "easier_for_group",
    "weak_discrimination",
    "option_rarely_chosen",
)
"""Flags by how much they matter: what may be a wrong key comes first."""
_RARELY = "option_rarely_chosen"
_MINOR = frozenset({"weak_discrimination", _RARELY})
_RARELY_CHOSEN = 0.05
_MODELS = {
    "1pl": "Rasch model (1PL): questions differ in difficulty alone",
    "2pl": "2PL: questions differ in difficulty and in discrimination",
    "3pl": "3PL: questions differ in difficulty, in discrimination and in how often guesses are right",
}
_GROUP_NAMES = {"pwbd": {"yes": "candidates with a disability", "no": "candidates without a disability"}}
_RELIABLE, _FAIR = 0.9, 0.8


def flags_of(analysis: Json, place: int, options: Sequence[OptionShares]) -> list[Json]:
    """What is unusual about a question, the most important first.

    The analysis counts an option that is marked alone. One that is often marked together with others is not
    rarely chosen.
    """
    flags = [flag for flag in analysis["flags"] if flag["position"] == place + 1]
    kept = [flag for flag in flags if not _is_chosen_with_others(flag, options)]
    return sorted(kept, key=lambda flag: _ORDER.index(flag["flag"]))


def _is_chosen_with_others(flag: Json, options: Sequence[OptionShares]) -> bool:
    return flag["flag"] == _RARELY and options[flag["option"]].share >= _RARELY_CHOSEN


def in_sentence(flag: Json, options: Sequence[OptionShares]) -> str:
    """A flag in words."""
    option = None if flag["option"] is None else options[flag["option"]].label
    return str(in_words(flag["flag"], number=flag["position"], option=option, group=flag["group"]))


def is_urgent(flag: Json) -> bool:
    """Whether the key or the wording may be wrong."""
    return flag["flag"] not in _MINOR


def look_first(material: ReportMaterial, items: Sequence[ReportItem]) -> list[Point]:
    """What to look at first: possible errors of the key, then unfairness, then the test as a whole."""
    if material.analysis is None or not material.analysis["items"]:
        return [Point("There is too little for statistics yet: see below what is missing.")]
    urgent = [item for item in items if item.is_urgent]
    urgent.sort(key=lambda item: _severity(material.analysis or {}, item.number))
    points = [Point(" ".join(item.findings), item.number) for item in urgent[:MAX_POINTS]]
    alpha = (material.analysis["scores"] or {}).get("alpha")
    if alpha is not None and alpha < _FAIR:
        points.append(
            Point(
                f"The reliability is {alpha:.2f}: candidates whose scores are close may well be in the wrong"
                " order."
            )
        )
    more = sum(1 for item in items if item.findings) - len(urgent[:MAX_POINTS])
    if more > 0:
        points.append(Point(f"{_more_questions(more)} in the table of all questions."))
    nothing = "Nothing stands out: no question is flagged"
    return points or [Point(f"{nothing}." if alpha is None else f"{nothing}, and the reliability is good.")]


def _severity(analysis: Json, number: int) -> int:
    return min(_ORDER.index(flag["flag"]) for flag in analysis["flags"] if flag["position"] == number)


def _more_questions(count: int) -> str:
    return "One more question is flagged" if count == 1 else f"{count} more questions are flagged"


def missing(material: ReportMaterial) -> list[str]:
    """What the report cannot say, and what is lacking."""
    if material.analysis is None:
        return [
            "The results of this test have not been analyzed yet, or it has none. Refresh the statistics."
        ]
    analysis, attempts = material.analysis, material.attempts
    sentences = []
    if analysis["items"] is None:
        sentences.append(str(missing_items(attempts)))
    if analysis["items"] is not None and any(item.is_optional for item in material.items):
        sentences.append(str(missing_alpha()))
    if analysis["irt"] is None:
        sentences.append(str(missing_calibration(attempts)))
    if all(median is None for median in material.median_ms):
        sentences.append(
            "Times are not known: there are fewer than 20 for each question, or the answers were on paper."
        )
    if not analysis["dif"]:
        sentences.append(
            "Groups are not compared: no two groups are large enough, or only one language was used."
        )
    return sentences


def facts(material: ReportMaterial, items: Sequence[ReportItem]) -> list[ReportFact]:
    """The test as a whole."""
    assert material.analysis is not None  # noqa: S101 -- the caller has asked
    scores: Json = material.analysis["scores"]
    found = [
        ReportFact("Attempts", f"{scores['attempts']:,}", "The first official attempt of each candidate."),
        ReportFact(
            "Mean",
            f"{_figure(scores['mean'])} of {_figure(material.max_score)}",
            _interval(scores["mean_interval"]),
        ),
        ReportFact("Median", _figure(scores["median"]), "Half of the candidates have more."),
        ReportFact(
            "Standard deviation", _figure(scores["standard_deviation"]), "How widely the scores are spread."
        ),
    ]
    if scores["alpha"] is not None:
        found += [
            ReportFact(
                "Reliability (alpha)",
                f"{scores['alpha']:.3f}",
                f"{_judged(scores['alpha'])} {_interval(scores['alpha_interval'], 3)}",
            ),
            ReportFact(
                "Standard error of a score",
                _figure(scores["standard_error"]),
                _luck(scores["standard_error"]),
            ),
        ]
    if scores["skewness"] is not None:
        found.append(ReportFact("Skewness", _figure(scores["skewness"]), _skewed(scores["skewness"])))
    flagged = sum(1 for item in items if item.findings)
    found.append(
        ReportFact(
            "Flagged questions", f"{flagged} of {len(material.items)}", "Questions with something unusual."
        )
    )
    return found


def model(analysis: Json) -> str:
    """Which model of item response theory was fitted."""
    calibration = analysis.get("irt")
    if calibration is None:
        return ""
    fitted = f"It was fitted to {calibration['answers']:,} attempts; a blank counts as a blind guess."
    return f"{_MODELS[calibration['model']]}. {fitted}"


def differences(analysis: Json) -> list[GroupDifference]:
    """Questions of class B and C, the largest difference first."""
    found = [
        GroupDifference(
            number=place + 1,
            comparison=_compared(comparison),
            ets_class=item["ets_class"],
            delta=item["delta"],
            error=item["delta_error"] or 0.0,
            sentence=_difference(comparison, item["delta"]),
        )
        for comparison in analysis.get("dif") or ()
        for place, item in enumerate(comparison["items"])
        if item is not None and item["ets_class"] != "A" and item["delta"] is not None
    ]
    return sorted(found, key=lambda each: (each.ets_class != "C", -abs(each.delta)))


def comparisons(analysis: Json) -> list[str]:
    """Which groups were compared, and what was found."""
    sentences = []
    for comparison in analysis.get("dif") or ():
        classes = [item["ets_class"] for item in comparison["items"] if item is not None]
        sizes = f"{comparison['focal_attempts']:,} and {comparison['reference_attempts']:,} candidates"
        sentences.append(
            f"{_compared(comparison)} ({sizes}): {classes.count('C')} large and {classes.count('B')} moderate"
            f" differences in {len(classes)} questions."
        )
    return sentences


def _compared(comparison: Json) -> str:
    focal, reference = (_group(comparison, comparison[name]) for name in ("focal", "reference"))
    return f"{focal[0].upper()}{focal[1:]} compared with {reference}"


def _group(comparison: Json, name: str) -> str:
    kind = comparison["by"]
    return _GROUP_NAMES.get(kind, {}).get(name, f"{kind} {name}")


def _difference(comparison: Json, delta: float) -> str:
    focal, reference = (_group(comparison, comparison[name]) for name in ("focal", "reference"))
    harder = "Harder" if delta < 0 else "Easier"
    return f"{harder} for {focal} than for {reference} with the same score."


def _judged(alpha: float) -> str:
    if alpha >= _RELIABLE:
        return "Good enough to rank candidates."
    return (
        "Fair: ranks of neighbors are uncertain." if alpha >= _FAIR else "Low: much of the order is chance."
    )


def _luck(error: float | None) -> str:
    return "" if error is None else f"Luck alone moves two of three scores by up to {_figure(error)} marks."


def _skewed(skewness: float) -> str:
    if abs(skewness) < 0.5:
        return "The scores are about symmetric."
    return "Most scores are low, few are high." if skewness > 0 else "Most scores are high, few are low."


def _interval(found: Json | None, digits: int = 2) -> str:
    if found is None or found["low"] is None or found["high"] is None:
        return ""
    return f"90 % interval: {_figure(found['low'], digits)} to {_figure(found['high'], digits)}."


def _figure(value: float | None, digits: int = 2) -> str:
    return "–" if value is None else f"{value:.{digits}f}".replace("-", "−")
