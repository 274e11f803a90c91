"""Items of the bank for the formats of other programs, drawn by Hypothesis."""

from hypothesis import strategies as st

from app.engine.question_types import NO_KEY, OPTION_LETTERS, Interaction, JsonObject
from app.interchange.items import Choice, Item, Place

_LETTERS = st.characters(categories=("L", "N", "P", "S", "Zs", "Mn"), exclude_characters="\ue000")
_PIECES = st.sampled_from(
    (
        "*",
        "**",
        "_",
        "__",
        "|",
        "\\",
        "`",
        "$",
        "$x_1$",
        "<b>",
        "&amp;",
        "\n",
        "\n\n",
        "  ",
        "1. ",
        "- ",
        "#",
        "]]>",
    )
)
LINES = st.lists(_LETTERS | _PIECES, min_size=1, max_size=12).map("".join)
"""Texts with what is markup in Markdown or XML."""
TABLES = st.sampled_from(("| a | b |\n| --- | :---: |\n| *c* | d |", "|a|b|\n|-|-|\n|c|d|", "a|b\n-|-"))


def _has_text(text: str) -> bool:
    return any(character.isalnum() for character in text) and text == text.strip()


TEXTS = (LINES | TABLES).filter(_has_text)
WORDS = st.text(st.characters(categories=("L", "N")), min_size=1, max_size=12)
NUMBERS = st.decimals(
    allow_nan=False, allow_infinity=False, places=3, min_value=-10_000, max_value=10_000
).map(str)


@st.composite
def items(draw: st.DrawFn) -> Item:
    """A question of any type, in English, Hindi or both."""
    languages = draw(st.sampled_from((["en"], ["hi"], ["en", "hi"])))
    interaction = draw(st.sampled_from(list(Interaction)))
    text = st.fixed_dictionaries(dict.fromkeys(languages, TEXTS))
    choices, key = draw(_answers(interaction, text))
    return Item(
        Place(),
        interaction,
        draw(text),
        choices,
        draw(st.sampled_from((key, NO_KEY))),
        draw(st.just({}) | text),
        draw(st.lists(WORDS, max_size=3, unique=True)),
        draw(st.lists(WORDS, max_size=2)),
        draw(st.none() | WORDS),
        draw(st.sampled_from((None, "easy", "medium", "hard"))),
        draw(st.sampled_from((None, "draft", "active", "retired"))),
        draw(st.none() | WORDS),
        draw(st.none() | st.integers(0, 2**31 - 1)),
        [],
    )


@st.composite
def _answers(
    draw: st.DrawFn, interaction: Interaction, text: st.SearchStrategy[dict[str, str]]
) -> tuple[list[Choice], JsonObject]:
    letters = OPTION_LETTERS[: draw(st.integers(2, len(OPTION_LETTERS)))]

    def options(ids: str) -> list[Choice]:
        return [Choice(each, draw(text)) for each in ids]

    if interaction is Interaction.ONE_OPTION:
        right = draw(st.sets(st.sampled_from(letters), min_size=1))
        choices = [Choice(each, draw(text), draw(st.booleans())) for each in letters]
        return choices, {"accepted": [[each] for each in sorted(right)]}
    if interaction is Interaction.SEVERAL_OPTIONS:
        answer = st.sets(st.sampled_from(letters), min_size=1).map(lambda each: tuple(sorted(each)))
        accepted = draw(st.sets(answer, min_size=1, max_size=3))
        return options(letters), {"accepted": [list(each) for each in sorted(accepted)]}
    if interaction is Interaction.PAIRS:
        left = "123456"[: draw(st.integers(2, 6))]
        pairs = {
            each: sorted(draw(st.sets(st.sampled_from(letters), min_size=1, max_size=2))) for each in left
        }
        return [*options(left), *options(letters)], {"pairs": pairs}
    return [], draw(_TYPED[interaction])


_RANGES = st.lists(st.tuples(NUMBERS, NUMBERS), min_size=1, max_size=3, unique=True)
_TYPED: dict[Interaction, st.SearchStrategy[JsonObject]] = {
    Interaction.TRUE_OR_FALSE: st.sampled_from(
        [{"accepted": [["true"]]}, {"accepted": [["false"], ["true"]]}]
    ),
    Interaction.NUMBER: st.fixed_dictionaries(
        {"value": NUMBERS, "tolerance": st.sampled_from(("0", "0.01", "2"))}
    ),
    Interaction.NUMBER_IN_RANGES: _RANGES.map(
        lambda ends: {"ranges": [{"from": low, "to": high} for low, high in ends]}
    ),
    Interaction.SHORT_TEXT: st.lists(WORDS, min_size=1, max_size=4, unique=True).map(
        lambda texts: {"texts": texts}
    ),
    Interaction.ESSAY: st.just(NO_KEY),
}
