"""The plots of a report. Each has the same in words, for a reader who does not see it."""

import itertools
from collections.abc import Sequence
from functools import partial

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from app.engine.statistics.irt.model import Items, information, probabilities
from app.services.reports.content import (
    GroupDifference,
    ItemCurve,
    OptionShares,
    ReportContent,
    ReportItem,
    ScoreBar,
)
from app.services.reports.drawing import (
    BAND,
    CURVE,
    DASHES,
    INK,
    OTHERS,
    RIGHT,
    Drawing,
    Frame,
    draw,
    percent_axis,
)

Floats = NDArray[np.float64]

_ABILITIES: Floats = np.linspace(-4, 4, 81)
_MAX_DIFFERENCES = 20
_PLAUSIBLE = 6.0
"""A difficulty beyond this is that of a question which almost nobody or almost everybody has right."""


def distribution(content: ReportContent) -> Drawing:
    """How many candidates have which score."""
    bars = content.scores
    most = max(bars, key=lambda bar: bar.candidates)
    words = (
        f"Bars from {_number(bars[0].lowest)} to {_number(bars[-1].highest)} marks. Most candidates, "
        f"{most.candidates}, have {_number(most.lowest)} to {_number(most.highest)} marks."
    )

    def paint(axes: Axes) -> None:
        _bars(axes, bars)
        if content.mean is not None:
            axes.axvline(content.mean, color=OTHERS[0], linestyle="--")
            axes.annotate(
                f"mean {_number(content.mean)}",
                (content.mean, 1),
                (4, -2),
                xycoords=("data", "axes fraction"),
                textcoords="offset points",
                va="top",
                color=OTHERS[0],
                bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.0},
            )
        axes.set_xlabel("Score in marks")
        axes.set_ylabel("Candidates")

    return draw("distribution", words, paint)


def item_map(items: Sequence[ReportItem]) -> Drawing:
    """Each question by the share of marks that it gave and by its discrimination."""
    known = [(item, item.facility, item.discrimination) for item in items]
    shown = [(i, f, d) for i, f, d in known if f is not None and d is not None]
    weak = [str(i.number) for i, _, d in shown if d < 0]
    below = f"Below zero: {', '.join(weak)}." if weak else "No question is below zero."
    words = f"{len(shown)} questions by facility (across) and discrimination (up). {below}"

    def paint(axes: Axes) -> None:
        axes.axhline(0, color=INK, linewidth=0.8)
        for item, facility, discrimination in shown:
            flagged = item.is_urgent
            axes.text(
                100 * facility,
                discrimination,
                str(item.number),
                ha="center",
                va="center",
                fontsize=9,
                color=OTHERS[0] if flagged else RIGHT,
                fontweight="bold" if flagged else "normal",
            )
        lowest = min((d for _, _, d in shown), default=0)
        highest = max((d for _, _, d in shown), default=0)
        axes.set_xlim(min(0, *(100 * f for _, f, _ in shown)) - 4, 104)
        axes.set_ylim(min(lowest, 0) - 5, highest + 6)
        axes.set_xlabel("Facility: mean mark in % of the maximum")
        axes.set_ylabel("Discrimination index in %")

    return draw("item-map", words, paint, height=4.2)


def curves_of_test(content: ReportContent) -> list[Drawing]:
    """The expected number of right answers and the precision by ability; no drawing without a model."""
    curves = [item.curve for item in content.items if item.curve is not None]
    if not curves:
        return []
    items = _items(curves)
    expected = probabilities(items, _ABILITIES).sum(axis=0)
    test_information = information(items, _ABILITIES).sum(axis=0)
    best = float(_ABILITIES[test_information.argmax()])
    # The standard normal distribution of abilities adds an information of 1.
    error = 1 / np.sqrt(test_information + 1)
    count = len(curves)
    return [
        draw(
            "test-characteristic",
            f"The expected number of right answers rises from {expected[0]:.0f} at ability −4 to "
            f"{expected[40]:.0f} at 0 and {expected[-1]:.0f} at 4, of {count} questions.",
            partial(_paint_expected, expected=expected, count=count),
        ),
        draw(
            "test-information",
            f"The test measures best near ability {best:+.1f}, where the standard error of an ability is "
            f"{error.min():.2f}. At −3 it is {error[10]:.2f}, at +3 {error[70]:.2f}.",
            partial(
                _paint_information,
                test_information=test_information,
                error=error,
                abilities=content.abilities,
            ),
        ),
    ]


def _paint_expected(axes: Axes, expected: Floats, count: int) -> None:
    axes.plot(_ABILITIES, expected, color=CURVE)
    axes.set_ylim(0, count)
    axes.set_xlabel("Ability (0 is the mean, 1 a standard deviation)")
    axes.set_ylabel("Expected right answers")


def _paint_information(
    axes: Axes, test_information: Floats, error: Floats, abilities: Sequence[ScoreBar]
) -> None:
    top = 1.15 * float(max(error.max(), 0.6))
    if abilities:
        most = max(bar.candidates for bar in abilities)
        heights = [0.45 * top * bar.candidates / most for bar in abilities]
        axes.bar(
            [bar.lowest for bar in abilities],
            heights,
            [bar.highest - bar.lowest for bar in abilities],
            align="edge",
            color=BAND,
            linewidth=0,
        )
        axes.annotate("candidates", (0, 0.02), xycoords=("data", "axes fraction"), ha="center", va="bottom")
    axes.plot(
        _ABILITIES, test_information / test_information.max() * top * 0.9, color=OTHERS[1], linestyle="--"
    )
    axes.plot(_ABILITIES, error, color=CURVE)
    peak = int(test_information.argmax())
    axes.annotate(
        f"information, at most {test_information.max():.1f}",
        (_ABILITIES[peak], 0.9 * top),
        (0, 2),
        textcoords="offset points",
        ha="center",
        va="bottom",
        color=OTHERS[1],
    )
    axes.annotate(
        "standard error",
        (_ABILITIES[-8], error[-8]),
        (0, -4),
        textcoords="offset points",
        ha="right",
        va="top",
        color=CURVE,
    )
    axes.set_ylim(0, top)
    axes.set_xlim(-4, 4)
    axes.set_xlabel("Ability (0 is the mean, 1 a standard deviation)")
    axes.set_ylabel("Standard error of an ability")


def option_frame(groups: Sequence[str]) -> Frame:
    """The axes of `option_plot`."""

    def paint(axes: Axes) -> None:
        percent_axis(axes)
        axes.set_xlim(-0.2, len(groups) - 0.7)
        axes.set_xticks(range(len(groups)), groups)
        axes.set_xlabel("Candidates by score")
        axes.set_ylabel("Chose the option")

    return Frame(paint)


def option_plot(item: ReportItem, frame: Frame) -> Drawing | None:
    """The share of each option by score group; None if the question has no options or no group is shown."""
    shown = [option for option in item.options if any(share is not None for share in option.by_group)]
    if not shown:
        return None
    words = " ".join(_in_words(option) for option in shown)
    return frame.draw(f"options-{item.number}", words, partial(_paint_options, options=shown))


def _in_words(option: OptionShares) -> str:
    shares = [share for share in option.by_group if share is not None]
    right = " (right)" if option.is_right else ""
    return f"{option.label}{right}: from {shares[0]:.0%} of the weakest to {shares[-1]:.0%} of the best."


def _paint_options(axes: Axes, options: Sequence[OptionShares]) -> None:
    places = np.arange(len(options[0].by_group))
    ends: list[tuple[float, str, str, bool]] = []
    others = iter(zip(OTHERS * 2, DASHES * 2, strict=True))
    for option in options:
        color, dash = (RIGHT, "-") if option.is_right else next(others, (OTHERS[-1], ":"))
        shares = np.array([np.nan if share is None else share for share in option.by_group])
        axes.plot(
            places,
            shares,
            color=color,
            linestyle=dash,
            linewidth=2.8 if option.is_right else 1.6,
            marker="o",
            markersize=4,
        )
        last = int(np.flatnonzero(~np.isnan(shares))[-1])
        ends.append((float(shares[last]), option.label, color, option.is_right))
    for height, (_, label, color, is_right) in zip(_apart([end[0] for end in ends]), ends, strict=True):
        axes.annotate(
            label,
            (places[-1], height),
            (8, 0),
            textcoords="offset points",
            va="center",
            color=color,
            fontweight="bold" if is_right else "normal",
            annotation_clip=False,
        )


def _apart(heights: Sequence[float]) -> list[float]:
    """The heights of labels moved apart, so that none covers another."""
    least = 0.075
    order = sorted(range(len(heights)), key=lambda place: heights[place])
    moved = list(heights)
    for below, place in itertools.pairwise(order):
        moved[place] = max(moved[place], moved[below] + least)
    # What was pushed above the top moves everything below it down.
    limit = 1.02
    for place in reversed(order):
        moved[place] = min(moved[place], limit)
        limit = moved[place] - least
    return moved


def curve_frame() -> Frame:
    """The axes of `item_plot`."""

    def paint(axes: Axes) -> None:
        percent_axis(axes)
        axes.set_xlim(-4, 4)
        axes.set_xticks(range(-4, 5, 2))
        axes.set_xlabel("Ability; the area is the information")
        axes.set_ylabel("Right answers")

    return Frame(paint)


def item_plot(item: ReportItem, frame: Frame) -> Drawing | None:
    """The characteristic curve of a question with what was observed, and its information."""
    curve = item.curve
    if curve is None:
        return None
    words = (
        f"Half of the way to certainty is reached at ability {curve.difficulty:+.2f} "
        f"(standard error {curve.difficulty_error:.2f}). Discrimination {curve.discrimination:.2f}."
    )
    if abs(curve.difficulty) > _PLAUSIBLE:
        words += " Almost everybody answered alike, so the difficulty is hardly known."
    return frame.draw(f"curve-{item.number}", words, partial(_paint_curve, curve=curve))


def _paint_curve(axes: Axes, curve: ItemCurve) -> None:
    items = _items([curve])
    item_information = information(items, _ABILITIES)[0]
    axes.fill_between(_ABILITIES, np.minimum(item_information, 1), color=BAND, linewidth=0)
    axes.plot(_ABILITIES, probabilities(items, _ABILITIES)[0], color=CURVE)
    if curve.observed:
        ability = [point.ability for point in curve.observed]
        share = np.array([point.share for point in curve.observed])
        count = np.array([point.candidates for point in curve.observed])
        axes.errorbar(
            ability,
            share,
            1.645 * np.sqrt(share * (1 - share) / count),
            fmt="o",
            color=OTHERS[0],
            markersize=4,
            elinewidth=1,
        )


def difference_plot(differences: Sequence[GroupDifference]) -> Drawing | None:
    """The largest differences between groups, with intervals of 90 %."""
    shown = sorted(differences, key=lambda each: -abs(each.delta))[:_MAX_DIFFERENCES]
    if not shown:
        return None
    words = "Differences on the scale of ETS, with intervals of 90 %: " + "; ".join(
        f"question {each.number}, {each.comparison}: {each.delta:+.2f}" for each in shown
    )
    return draw(
        "differences",
        words + ".",
        partial(_paint_differences, shown=shown[::-1]),
        height=0.9 + 0.3 * len(shown),
    )


def _paint_differences(axes: Axes, shown: Sequence[GroupDifference]) -> None:
    places = np.arange(len(shown))
    for edge in (-1.5, -1, 1, 1.5):
        axes.axvline(edge, color="#9ca3af", linewidth=0.8, linestyle=":")
    axes.axvline(0, color=INK, linewidth=0.8)
    axes.errorbar(
        [each.delta for each in shown],
        places,
        xerr=[1.645 * each.error for each in shown],
        fmt="o",
        color=RIGHT,
        markersize=5,
        elinewidth=1.2,
    )
    axes.set_yticks(places, [f"Q{each.number} ({each.ets_class})" for each in shown])
    axes.set_ylim(-0.7, len(shown) - 0.3)
    axes.set_xlabel("Harder for the group  ←  delta  →  easier for it")


def _bars(axes: Axes, bars: Sequence[ScoreBar]) -> None:
    widths = [bar.highest - bar.lowest for bar in bars]
    axes.bar(
        [bar.lowest for bar in bars],
        [bar.candidates for bar in bars],
        widths,
        align="edge",
        color=RIGHT,
        edgecolor="white",
        linewidth=0.6,
    )


def _items(curves: Sequence[ItemCurve]) -> Items:
    return Items(
        np.array([curve.discrimination for curve in curves]),
        np.array([curve.difficulty for curve in curves]),
        np.array([curve.guessing for curve in curves]),
    )


def _number(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".").replace("-", "−")
