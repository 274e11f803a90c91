"""Where the glyphs of a PDF are: for tests that nothing leaves its page or column."""

from collections.abc import Iterator
from typing import Any

from pypdf import PageObject

Matrix = tuple[float, float, float, float, float, float]
IDENTITY: Matrix = (1, 0, 0, 1, 0, 0)


def runs_of(page: PageObject) -> Iterator[tuple[float, float, float, list[int]]]:
    """Each run of glyphs of a page: left edge, right edge and height in points, and its glyphs by number.

    Glyph 0 is the box that stands for a missing one. Only the operators that Typst writes are known.
    """
    resources: Any = page["/Resources"]
    widths = {name: _widths(font.get_object()) for name, font in resources.get("/Font", {}).items()}
    now, saved = IDENTITY, []
    font, size, text = "", 1.0, IDENTITY
    content = page.get_contents()
    assert content is not None
    for operands, operator in content.operations:
        if operator == b"q":
            saved.append(now)
        elif operator == b"Q":
            now = saved.pop()
        elif operator == b"cm":
            now = _product(_matrix(operands), now)
        elif operator == b"Tf":
            font, size = str(operands[0]), float(operands[1])
        elif operator == b"Tm":
            text = _matrix(operands)
        elif operator in (b"Tj", b"TJ"):
            pieces = operands[0] if isinstance(operands[0], list) else [operands[0]]
            length, glyphs = _length(pieces, widths[font], size)
            placed = _product(text, now)
            yield placed[4], placed[4] + length * placed[0], placed[5], glyphs


def _length(pieces: list[Any], widths: dict[int, float], size: float) -> tuple[float, list[int]]:
    length, glyphs = 0.0, []
    for piece in pieces:
        if not isinstance(piece, str | bytes):
            length -= float(piece) / 1000 * size
            continue
        raw = piece if isinstance(piece, bytes) else piece.original_bytes  # type: ignore[attr-defined] # of pypdf
        numbers = [int.from_bytes(raw[position : position + 2]) for position in range(0, len(raw), 2)]
        length += sum(widths.get(number, 0) for number in numbers) / 1000 * size
        glyphs += numbers
    return length, glyphs


def _widths(font: Any) -> dict[int, float]:
    """The widths of a composite font, from its list of `first [width …]` and `first last width`."""
    found: dict[int, float] = {}
    listed = list(font["/DescendantFonts"][0].get_object().get("/W", []))
    while listed:
        first, second = int(listed.pop(0)), listed.pop(0)
        if isinstance(second, list):
            found |= dict(enumerate(map(float, second), start=first))
        else:
            found |= dict.fromkeys(range(first, int(second) + 1), float(listed.pop(0)))
    return found


def _matrix(operands: Any) -> Matrix:
    a, b, c, d, e, f = map(float, operands)
    return a, b, c, d, e, f


def _product(left: Matrix, right: Matrix) -> Matrix:
    a, b, c, d, e, f = left
    g, h, i, j, k, m = right
    return a * g + b * i, a * h + b * j, c * g + d * i, c * h + d * j, e * g + f * i + k, e * h + f * j + m
