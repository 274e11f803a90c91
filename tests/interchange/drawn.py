"""Items drawn by Hypothesis, with the texts that questions of the bank have."""

from collections.abc import Mapping, Sequence

from hypothesis import strategies as st

from app.core.names import problem_of
from app.engine.question_types import Interaction
from app.interchange.items import Choice, Item, Place

SIGNS = "abc XYZ 019 गंगा .,:;!?#={}~%[]()/\\*_|$<>&-+'\"@^`\n"
LETTERS = "abcdef"


def texts() -> st.SearchStrategy[str]:
    """Texts as they are stored: without spaces around them, and with something to see."""
    return (
        st.text(SIGNS, min_size=1, max_size=30)
        .map(str.strip)
        .filter(lambda text: any(map(str.isalnum, text)))
    )


def names(longest: int = 20) -> st.SearchStrategy[str]:
    """Names of one line."""
    signs = SIGNS.replace("\n", "")
    return (
        st.text(signs, min_size=1, max_size=longest)
        .map(lambda text: " ".join(text.split()))
        .filter(lambda text: bool(text) and problem_of(text) is None)
    )


def localized(languages: Sequence[str]) -> st.SearchStrategy[Mapping[str, str]]:
    return st.fixed_dictionaries(dict.fromkeys(languages, texts()))


def numbers() -> st.SearchStrategy[str]:
    return st.decimals(-1000, 1000, places=2).map(str)


@st.composite
def items(draw: st.DrawFn) -> Item:
    """A question of any type with a key."""
    languages = draw(st.sampled_from([("en",), ("hi",), ("en", "hi")]))
    said = localized(languages)
    interaction = draw(st.sampled_from(Interaction))
    count = draw(st.integers(2, 6))
    choices: list[Choice] = []
    letters = LETTERS[:count]
    key: dict[str, object] = {"accepted": []}
    match interaction:
        case Interaction.ONE_OPTION:
            right = draw(st.lists(st.sampled_from(letters), min_size=1, max_size=2, unique=True))
            key = {"accepted": [[each] for each in sorted(right)]}
        case Interaction.SEVERAL_OPTIONS:
            right = draw(st.lists(st.sampled_from(letters), min_size=1, max_size=count, unique=True))
            key = {"accepted": [sorted(right)]}
        case Interaction.TRUE_OR_FALSE:
            key = {"accepted": [[draw(st.sampled_from(["true", "false"]))]]}
        case Interaction.NUMBER:
            key = {"value": draw(numbers()), "tolerance": draw(st.sampled_from(["0", "0.5"]))}
            if ends := draw(st.lists(numbers(), max_size=3)):
                key = {"ranges": [{"from": end, "to": end} for end in ends]}
        case Interaction.SHORT_TEXT:
            key = {"texts": draw(st.lists(names(), min_size=1, max_size=3, unique=True))}
            if draw(st.booleans()):
                key["case_sensitive"] = True
        case Interaction.PAIRS:
            left = draw(st.integers(2, 4))
            choices = [Choice(str(number), draw(said)) for number in range(1, left + 1)]
            key = {"pairs": {str(number): [draw(st.sampled_from(letters))] for number in range(1, left + 1)}}
    if interaction in (Interaction.ONE_OPTION, Interaction.SEVERAL_OPTIONS, Interaction.PAIRS):
        # Two options never read alike in the bank.
        choices += [
            Choice(
                letter,
                {language: f"{text} {letter}" for language, text in draw(said).items()},
                is_fixed=interaction is not Interaction.PAIRS and draw(st.booleans()),
            )
            for letter in letters
        ]
    return Item(
        Place(title=draw(names())),
        interaction,
        draw(said),
        choices,
        key,
        draw(st.one_of(st.just({}), said)),
        draw(st.lists(names(), max_size=2, unique=True)),
        draw(st.lists(names(), max_size=2)),
        draw(st.none() | names()),
        draw(st.sampled_from([None, "easy", "hard"])),
        draw(st.sampled_from([None, "draft", "retired"])),
        draw(st.none() | names()),
        draw(st.none() | st.integers(0, 10_000)),
        [],
    )
