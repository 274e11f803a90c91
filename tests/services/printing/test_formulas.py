"""Formulas: what is typeset, and what is refused so that nothing of it is dropped."""

import pytest

from app.services.printing.formulas import MAX_LENGTH, UnreadableFormula, read_formula
from tests.services.printing.formulas import TYPESET

REFUSED = {
    r"\foo{x}": "\\foo",
    r"\ce{H2O}": "\\ce",
    r"50 % of x": "%",
    r"a & b": "&",
    r"x}": "}",
    r"\newcommand{\a}{b}\a": "\\newcommand",
    r"\def\x{\x}\x": "\\def",
    r"\begin{tikz}x\end{tikz}": "\\begin{tikz}",
    r"\text{a $x$ b}": "$",
    r"\frac{1}{": "",
    r"x^": "",
    r"\left( x": "",
    r"x^2^3": "",
    r"\color{red}{x}": "",
    r"\href{https://a.example}{x}": "",
    r"\begin{array}{|c|} a \end{array}": "",
    "{" * 200 + "x" + "}" * 200: "",
    "x" * (MAX_LENGTH + 1): "",
}


@pytest.mark.parametrize("latex", TYPESET)
def test_what_is_typeset(latex: str) -> None:
    assert read_formula(latex)["items"]


@pytest.mark.parametrize("latex", REFUSED, ids=lambda latex: latex[:20])
def test_what_is_refused_with_its_cause(latex: str) -> None:
    with pytest.raises(UnreadableFormula) as refused:
        read_formula(latex)
    assert refused.value.part == REFUSED[latex]


def test_a_tree() -> None:
    letter = {"kind": "symbol", "style": None, "size": None}
    assert read_formula(r"\frac{a}{2}") == {
        "kind": "row",
        "items": [
            {
                "kind": "fraction",
                "above": {"kind": "row", "items": [letter | {"text": "a"}]},
                "below": {"kind": "row", "items": [{"kind": "number", "text": "2"}]},
            }
        ],
    }
