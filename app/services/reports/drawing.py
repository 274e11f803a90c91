"""Drawing with matplotlib: the style of all figures, and a figure as SVG that can stand in an HTML page.

Only a child process imports this module: matplotlib takes half a second and 60 MB to import.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from io import StringIO
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

WIDTH, HEIGHT = 5.0, 2.9
_MARGINS = (0.85, 0.25, 0.58, 0.14)
"""In inches of 72 units. A figure as wide as a phone (360 units) keeps letters of the size of the text."""

RIGHT, CURVE, BAND = "#0b4f8a", "#0b4f8a", "#c6dbef"
OTHERS = ("#c2410c", "#15803d", "#7c3aed", "#a16207", "#0e7490", "#be185d", "#4d7c0f", "#475569")
"""Dark enough on white (contrast 4.5:1). Lines also differ by their dashes and by the letter at their end."""
DASHES = ("--", ":", "-.", (0, (5, 1)), (0, (3, 1, 1, 1)), (0, (1, 1)), (0, (7, 2)), (0, (2, 2)))
INK, GRID = "#1f2937", "#e5e7eb"

_STYLE: Any = {
    "font.family": "DejaVu Sans",
    "font.size": 11.5,
    "axes.titlesize": 11.5,
    "axes.labelsize": 11.5,
    "axes.edgecolor": "#6b7280",
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": GRID,
    "grid.linewidth": 0.6,
    "xtick.bottom": False,
    "ytick.left": False,
    "xtick.color": INK,
    "ytick.color": INK,
    "text.color": INK,
    "lines.linewidth": 1.8,
    "svg.fonttype": "none",
}
"""Letters stay letters (`svg.fonttype`): they are found by a search, and are smaller than outlines."""

_SMALLER = tuple(
    (re.compile(pattern, re.DOTALL), replacement)
    for pattern, replacement in (
        (r"<metadata>.*?</metadata>|<!--.*?-->", ""),
        (r"<defs>\s*<style.*?</style>\s*</defs>", ""),
        (r' (?:width|height)="[\d.]+pt"| xmlns:xlink="[^"]*"| version="1.1"', ""),
        # Names of elements to which nothing refers. They would be the same in all figures of a page.
        (r' id="[A-Za-z.\d]+_\d+"', ""),
        (r"xlink:href", "href"),
        (r" font-family: [^;\"]*;", ""),
        (r' transform="rotate\(-0 [^)]*\)"', ""),
        (r"(?<=[\s\"(-])(\d+\.\d\d)\d+", r"\1"),
        (r"\s*\n\s*", "\n"),
        (r" ?\n(?=[LMQCz\"])", " "),
    )
)
"""What is left out or shortened: half of the size. A page of 100 questions has 200 figures."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """A figure as an SVG element, and the same in words for those who do not see it."""

    svg: str
    words: str


Painter = Callable[[Axes], None]


class Frame:
    """Axes with their ticks and labels, into which several figures are drawn one after the other.

    Making the axes of a small figure takes longer than drawing what is in them.
    """

    def __init__(self, paint: Painter, *, height: float = HEIGHT) -> None:
        """`paint` sets limits, ticks and labels."""
        with mpl.rc_context(_STYLE):
            self._figure = Figure(figsize=(WIDTH, height))
            # Computing the margins from the labels would take most of the time of a small figure.
            left, right, bottom, top = _MARGINS
            self._figure.subplots_adjust(
                left=left / WIDTH, right=1 - right / WIDTH, bottom=bottom / height, top=1 - top / height
            )
            self._axes = self._figure.add_subplot()
            paint(self._axes)

    def draw(self, name: str, words: str, paint: Painter) -> Drawing:
        """A figure. `name` is unique in the page: ids inside the SVG are made from it."""
        own = set(self._axes.get_children())
        with mpl.rc_context({**_STYLE, "svg.hashsalt": name}):
            paint(self._axes)
            written = StringIO()
            metadata = {"Date": None, "Creator": None}
            self._figure.savefig(written, format="svg", metadata=metadata, transparent=True)
        for artist in self._axes.get_children():
            if artist not in own:
                artist.remove()
        self._axes.containers.clear()
        return Drawing(_element(written.getvalue()), words)


def draw(name: str, words: str, paint: Painter, *, height: float = HEIGHT) -> Drawing:
    """A figure with axes of its own."""
    return Frame(paint, height=height).draw(name, words, lambda axes: None)


def percent_axis(axes: Axes) -> None:
    """Shares from 0 to 1, shown in percent."""
    axes.set_ylim(-0.02, 1.02)
    axes.set_yticks([0, 0.25, 0.5, 0.75, 1], ["0 %", "25 %", "50 %", "75 %", "100 %"])


def _element(document: str) -> str:
    """The SVG element of a document, without what a page does not need.

    The page sets the size and the font: the fonts of this machine may not exist on others.
    """
    element = document[document.index("<svg") :]
    for pattern, replacement in _SMALLER:
        element = pattern.sub(replacement, element)
    return element.replace("<svg", '<svg aria-hidden="true" focusable="false"', 1).strip()
