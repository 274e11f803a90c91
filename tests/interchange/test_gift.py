"""GIFT, read and written."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.engine.question_types import Interaction
from app.interchange.gift import is_gift, read_gift
from app.interchange.gift_writer import write_gift
from app.interchange.items import Choice, Item, ItemFile, Place
from tests.interchange import drawn
from tests.thorough import count

BANK = r"""// question: 7  name: Rivers
$CATEGORY: $course$/top/Geography/Rivers

// [id:river-1] [tag:maps] [tag:a\]b]
::Rivers::[html]<p>Which river flows through <b>Varanasi</b>?</p>{
	=<p>Ganga</p>
	~<p>Kaveri \{south\}</p>#Look at a map.
	####<p>It rises in the Himalaya.</p>
}

Which of these are rivers?{~%50%Ganga ~%50%Kaveri ~%-50%Nilgiri}

Delhi is the capital. {T}

The capital of India is {=New Delhi =Delhi} today.

Pi?{#3.14:0.01}

Four or five?{#=4 =4.8..5.2}

Match.{=Ganga -> north =Kaveri -> south = -> west}

Discuss federalism.{}
"""


def one(text: str) -> Item:
    found = read_gift(text.encode(), "en")
    assert (found.errors, found.unsupported) == ([], [])
    (item,) = found.items
    return item


def refused(text: str) -> ItemFile:
    found = read_gift(text.encode(), "en")
    assert found.items == []
    return found


class TestRead:
    def test_a_question_with_all_that_moodle_writes(self) -> None:
        found = read_gift(BANK.encode(), "en")
        assert (found.errors, found.unsupported) == ([], [])
        river = found.items[0]
        assert river.text == {"en": "Which river flows through **Varanasi**?"}
        assert [choice.text["en"] for choice in river.choices] == ["Ganga", "Kaveri {south}"]
        assert river.key == {"accepted": [["a"]]}
        assert river.explanation == {"en": "It rises in the Himalaya."}
        assert (river.external_id, river.tags, river.categories) == (
            "river-1",
            ["maps", "a]b"],
            ["Geography", "Rivers"],
        )
        assert (river.place.title, river.place.at) == ("Rivers", "line 5")

    def test_each_type(self) -> None:
        found = read_gift(BANK.encode(), "en")
        assert [(item.interaction, item.key) for item in found.items[1:]] == [
            (Interaction.SEVERAL_OPTIONS, {"accepted": [["a", "b"]]}),
            (Interaction.TRUE_OR_FALSE, {"accepted": [["true"]]}),
            (Interaction.SHORT_TEXT, {"texts": ["New Delhi", "Delhi"]}),
            (Interaction.NUMBER, {"value": "3.14", "tolerance": "0.01"}),
            (
                Interaction.NUMBER,
                {"ranges": [{"from": "4", "to": "4"}, {"from": "4.8", "to": "5.2"}]},
            ),
            (Interaction.PAIRS, {"pairs": {"1": ["a"], "2": ["b"]}}),
            (Interaction.ESSAY, {"accepted": []}),
        ]
        assert found.items[3].text == {"en": "The capital of India is _____ today."}
        assert [choice.id for choice in found.items[6].choices] == ["1", "2", "a", "b", "c"]

    def test_what_is_not_kept_is_listed(self) -> None:
        found = read_gift(BANK.encode(), "en")
        assert [(remark.place.number, remark.message) for remark in found.not_kept] == [
            (1, "comments on answers"),
            (2, "what a wrong option costs"),
            (1, "names of questions, such as this one"),
        ]

    def test_signs_lines_and_languages(self) -> None:
        item = one(
            r'[html]<span lang="en" class="multilang">a\=b</span>'
            r'<span lang="hi" class="multilang">क\: ख</span>'
            r"{=\#1 ~\~2\nmore}"
        )
        assert item.text == {"en": "a=b", "hi": "क: ख"}
        assert [choice.text["en"] for choice in item.choices] == ["#1", "~2 more"]
        by_plug_in = one(r"\{mlang en\}Yes\{mlang\}\{mlang hi\}हाँ\{mlang\} {T}")
        assert by_plug_in.text == {"en": "Yes", "hi": "हाँ"}

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("Q {=a ~b", "not a pair"),
            ("Q =a ~b}", "not a pair"),
            ("Q {~a ~b}", "no option is right"),
            ("Q {=a ~}", "option b has no text"),
            ("Q {#abc}", '"abc" is no number'),
            ("Q {#}", "no right number"),
            ("Q {=a -> b}", "at least two pairs"),
            ("{=a ~b}", "no text"),
        ],
    )
    def test_a_mistake_is_an_error(self, text: str, message: str) -> None:
        (error,) = refused(text).errors
        assert message in error.message
        assert error.place.at == "line 1"

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("Read this first.", "a description"),
            ("Q {~%80%a ~%20%b ~c}", "different parts"),
            ("Q {=a ~%50%b ~c}", "a part of the marks alone"),
            ("Q {=%100%Paris =%50%paris}", "a spelling earns a part"),
            ("Q {=*delhi*}", "any text"),
            ("Q {#=%100%5:0 =%50%5:1}", "a part of the marks"),
            ("Q {=a} and {=b}", "several blanks"),
            ('[html]<img src\\="@@PLUGINFILE@@/map.png"> Which? {T}', '"map.png" is in no GIFT file'),
            ('[html]<img src\\="https\\://example.org/map.png"> Which? {T}', "not in the file"),
        ],
    )
    def test_what_the_bank_cannot_hold_is_listed(self, text: str, message: str) -> None:
        (remark,) = refused(text).unsupported
        assert message in remark.message

    def test_a_command_of_latex_that_gift_reads_as_a_line_break_is_named(self) -> None:
        found = read_gift(rb"$\nabla f$? {T}", "en")
        assert [r"\nabla" in remark.message for remark in found.not_kept] == [True]

    def test_it_is_recognized_only_where_it_is_certain(self) -> None:
        assert is_gift(BANK.encode())
        assert is_gift(b"::Q1:: Which? {T}")
        assert is_gift(b"Which of these\nis a river? {\n  =Tapi\n  ~Everest \\{peak\\}\n}\n\nNext? {T}")
        assert is_gift("\ufeffभारत की राजधानी {=दिल्ली ~मुंबई} है।\n".encode())
        assert not is_gift(b"question,key\n{=a ~b},a")
        assert not is_gift(b'"Which? {=a ~b}",a\n')
        assert not is_gift(b"question\tkey\nWhich? {=a ~b}\ta\n")
        assert not is_gift(b"question,key\nf{x} = 2,a\n")
        assert not is_gift(b"{ " * 5_000)
        assert not is_gift(b"// note\nquestion,key\n")


class TestWrite:
    @settings(max_examples=count(25, thorough=200), deadline=None)
    @given(st.lists(drawn.items(), min_size=1, max_size=3))
    def test_what_is_written_reads_back_equal(self, items: list[Item]) -> None:
        written = write_gift(items, {})
        found = read_gift(written.content, "en") if written.count else ItemFile()
        assert (found.errors, found.unsupported) == ([], [])
        left_out = [remark.place for remark in written.left_out]
        kept = [item for item in items if not any(item.place is place for place in left_out)]
        assert len(found.items) == len(kept)
        for item, wanted in zip(found.items, kept, strict=True):
            assert item == wanted

    @pytest.mark.parametrize(
        ("key", "why"),
        [
            ({"accepted": [["a"], ["b"]]}, "all its options are right"),
            ({"accepted": []}, "no key"),
            ({"dropped": True}, "dropped"),
        ],
    )
    def test_what_it_cannot_express_is_left_out_and_listed(self, key: dict[str, object], why: str) -> None:
        choices = [Choice("a", {"en": "x"}), Choice("b", {"en": "y"})]
        written = write_gift([Item(Place(), Interaction.ONE_OPTION, {"en": "Q"}, choices, key)], {})
        assert (written.count, [why in remark.message for remark in written.left_out]) == (0, [True])
