"""Items as other programs write them: QTI 2.1, 2.2 and 3."""

import pytest

from app.engine.question_types import NO_KEY, Interaction, JsonObject
from app.interchange.items import Item, ItemFile
from app.interchange.qti.reading import is_qti, read_qti

NAMESPACE = "http://www.imsglobal.org/xsd/imsqti_v2p2"
TEMPLATES = "http://www.imsglobal.org/question/qti_v2p2/rptemplates"
CORRECT = f'<responseProcessing template="{TEMPLATES}/match_correct"/>'
MAPPED = f'<responseProcessing template="{TEMPLATES}/map_response"/>'


def declared(
    correct: str = "", *, base: str = "identifier", cardinality: str = "single", more: str = ""
) -> str:
    values = "".join(f"<value>{value}</value>" for value in correct.split("; ") if value)
    right = f"<correctResponse>{values}</correctResponse>" if values else ""
    return (
        f'<responseDeclaration identifier="RESPONSE" cardinality="{cardinality}" baseType="{base}">'
        f"{right}{more}</responseDeclaration>"
    )


def mapping(**marks: str) -> str:
    entries = "".join(f'<mapEntry mapKey="{key}" mappedValue="{value}"/>' for key, value in marks.items())
    return f"<mapping>{entries}</mapping>"


def choices(*texts: str, attributes: str = 'maxChoices="1"', name: str = "choiceInteraction") -> str:
    each = "simpleChoice" if name == "choiceInteraction" else "inlineChoice"
    options = "".join(
        f'<{each} identifier="{chr(65 + position)}">{text}</{each}>' for position, text in enumerate(texts)
    )
    return f'<{name} responseIdentifier="RESPONSE" {attributes}>{options}</{name}>'


def item(declaration: str, body: str, processing: str = CORRECT, *, attributes: str = "") -> bytes:
    return (
        f'<assessmentItem xmlns="{NAMESPACE}" identifier="i1" title="An item" {attributes}>'
        f"{declaration}<itemBody>{body}</itemBody>{processing}</assessmentItem>"
    ).encode()


def read(*parts: str, attributes: str = "") -> ItemFile:
    file = item(*parts, attributes=attributes)
    assert is_qti(file)
    return read_qti(file, "en")


def the_item(*parts: str, attributes: str = "") -> Item:
    found = read(*parts, attributes=attributes)
    assert not [*found.errors, *found.unsupported, *found.not_kept]
    return found.items[0]


ASKED = "<p>?x</p>"
SCORED = '<setOutcomeValue identifier="SCORE"><baseValue baseType="float">1</baseValue></setOutcomeValue>'
ENTRY = '<p>How many? <textEntryInteraction responseIdentifier="RESPONSE"/></p>'


def rule(test: str) -> str:
    branch = f"<responseIf>{test}{SCORED}</responseIf>"
    return f"<responseProcessing><responseCondition>{branch}</responseCondition></responseProcessing>"


THE_RESPONSE = '<variable identifier="RESPONSE"/>'
THE_CORRECT = '<correct identifier="RESPONSE"/>'


def near(attributes: str) -> str:
    return rule(f"<equal {attributes}>{THE_RESPONSE}{THE_CORRECT}</equal>")


FORMULA = (
    '<p><math xmlns="http://www.w3.org/1998/Math/MathML"><mi>x</mi>'
    '<annotation encoding="application/x-tex">x^2</annotation></math> is</p>'
)


class TestTexts:
    @pytest.mark.parametrize(
        ("body", "text"),
        [
            ("<p>Which\n  river?</p>", "Which river?"),
            ("<div><p>One</p><p>Two<br/>Three</p></div>", "One\n\nTwo\nThree"),
            ("<p>The <b>Rajya</b> <i>Sabha</i> is</p>", "The **Rajya** _Sabha_ is"),
            ("<p>un<b>do</b>ne</p>", "undone"),
            ("<p>2*3*4 and *x* and a_b</p>", "2\\*3\\*4 and \\*x\\* and a\\_b"),
            ("<p>CO<sub>2</sub>, x<sup>-1</sup>, x<sup>a</sup></p>", "CO₂, x⁻¹, x$^{a}$"),
            ("<p>Consider:</p><ol><li>One</li><li><p>Two</p></li></ol>", "Consider:\n\n1. One\n2. Two"),
            ("<ul><li>One</li><li>Two</li></ul>", "- One\n- Two"),
            (
                "<table><tr><th>A</th><th>B</th></tr><tr><td>1 | 2</td><td/></tr></table>",
                "| A | B |\n| --- | --- |\n| 1 \\| 2 |  |",
            ),
            ("<h2>Read</h2><pre>a\n  b</pre>", "**Read**\n\na\n  b"),
            (FORMULA, "$x^2$ is"),
        ],
    )
    def test_are_markdown(self, body: str, text: str) -> None:
        assert the_item(declared("A"), body + choices("x", "y")).text == {"en": text}

    def test_a_prompt_stands_after_the_text(self) -> None:
        body = choices("x", "y").replace("<simpleChoice", "<prompt>Which?</prompt><simpleChoice", 1)
        assert the_item(declared("A"), f"<p>Look.</p>{body}").text == {"en": "Look.\n\nWhich?"}

    def test_languages_are_elements_of_their_own(self) -> None:
        body = '<div xml:lang="en-US">River?</div><p xml:lang="hi">नदी?</p>'
        options = choices('<div xml:lang="en">x</div><div xml:lang="hi">क</div>', "y")
        found = the_item(declared("A"), body + options, attributes='xml:lang="en-IN"')
        assert found.text == {"en": "River?", "hi": "नदी?"}
        assert [choice.text for choice in found.choices] == [{"en": "x", "hi": "क"}, {"en": "y"}]

    def test_a_quotation_in_another_language_is_no_translation(self) -> None:
        body = '<p>Who said:</p><p xml:lang="fr">Moi</p>'
        assert the_item(declared("A"), body + choices("x", "y")).text == {"en": "Who said:\n\nMoi"}

    def test_the_item_names_its_language(self) -> None:
        found = the_item(declared("A"), "<p>ஆறு?</p>" + choices("x", "y"), attributes='xml:lang="ta"')
        assert found.languages == {"ta"}

    def test_one_feedback_is_the_explanation(self) -> None:
        feedback = '<modalFeedback identifier="f" outcomeIdentifier="F" showHide="show">So.</modalFeedback>'
        found = the_item(declared("A"), ASKED + choices("x", "y"), CORRECT + feedback)
        assert found.explanation == {"en": "So."}

    def test_feedback_for_single_responses_is_listed(self) -> None:
        feedback = '<modalFeedback identifier="{}" outcomeIdentifier="F" showHide="show">So.</modalFeedback>'
        both = feedback.format("yes") + feedback.format("no")
        found = read(declared("A"), ASKED + choices("x", "y"), CORRECT + both)
        assert found.items[0].explanation == {}
        assert [remark.message for remark in found.not_kept] == ["its feedback for single responses"]


class TestKeys:
    @pytest.mark.parametrize(
        ("declaration", "attributes", "processing", "interaction", "key"),
        [
            (declared("B"), 'maxChoices="1"', CORRECT, Interaction.ONE_OPTION, [["b"]]),
            (declared("B"), "", "", Interaction.ONE_OPTION, [["b"]]),
            (declared(), "", CORRECT, Interaction.ONE_OPTION, []),
            (declared("A", more=mapping(A="1", C="1")), "", MAPPED, Interaction.ONE_OPTION, [["a"], ["c"]]),
            (
                declared("A; C", cardinality="multiple"),
                "",
                CORRECT,
                Interaction.SEVERAL_OPTIONS,
                [["a", "c"]],
            ),
            (
                declared("A; C", cardinality="multiple"),
                'maxChoices="1"',
                CORRECT,
                Interaction.ONE_OPTION,
                [["a"], ["c"]],
            ),
            (
                declared("B"),
                "",
                rule(
                    f"<and><not><isNull>{THE_RESPONSE}</isNull></not><match>{THE_RESPONSE}{THE_CORRECT}</match></and>"
                ),
                Interaction.ONE_OPTION,
                [["b"]],
            ),
            (
                declared("B"),
                "",
                rule(
                    f'<member>{THE_RESPONSE}<multiple><baseValue baseType="identifier">A</baseValue>'
                    '<baseValue baseType="identifier">B</baseValue></multiple></member>'
                ),
                Interaction.ONE_OPTION,
                [["a"], ["b"]],
            ),
        ],
    )
    def test_of_choices(
        self,
        declaration: str,
        attributes: str,
        processing: str,
        interaction: Interaction,
        key: list[list[str]],
    ) -> None:
        found = the_item(declaration, ASKED + choices("x", "y", "z", attributes=attributes), processing)
        assert (found.interaction, found.key) == (interaction, {"accepted": key})

    def test_of_a_choice_within_a_line(self) -> None:
        body = f"<p>The river {choices('x', 'y', name='inlineChoiceInteraction')} flows.</p>"
        found = the_item(declared("B"), body)
        assert (found.text, found.key) == ({"en": "The river _____ flows."}, {"accepted": [["b"]]})

    def test_true_and_false_are_a_type(self) -> None:
        found = the_item(declared("B"), ASKED + choices("TRUE", "False "))
        assert (found.interaction, found.key) == (Interaction.TRUE_OR_FALSE, {"accepted": [["false"]]})

    def test_options_that_keep_their_places(self) -> None:
        body = choices("x", "y", attributes='shuffle="true"').replace('"B"', '"B" fixed="true"')
        found = the_item(declared("A"), ASKED + body)
        assert [choice.is_fixed for choice in found.choices] == [False, True]

    @pytest.mark.parametrize(
        ("declaration", "processing", "interaction", "key"),
        [
            (declared("3", base="integer"), CORRECT, Interaction.NUMBER, {"value": "3", "tolerance": "0"}),
            (declared("1e3", base="float"), CORRECT, Interaction.NUMBER, {"value": "1000", "tolerance": "0"}),
            (
                declared("300", base="float"),
                near('toleranceMode="absolute" tolerance="2 2.0"'),
                Interaction.NUMBER,
                {"value": "300", "tolerance": "2"},
            ),
            (
                declared("300", base="float"),
                near('toleranceMode="absolute" tolerance="1 2"'),
                Interaction.NUMBER,
                {"ranges": [{"from": "299", "to": "302"}]},
            ),
            (
                declared("-40", base="float"),
                near('toleranceMode="relative" tolerance="5"'),
                Interaction.NUMBER,
                {"value": "-40", "tolerance": "2"},
            ),
            (
                declared("1", base="float"),
                rule(
                    f'<and><gte>{THE_RESPONSE}<baseValue baseType="float">0.5</baseValue></gte>'
                    f'<lte>{THE_RESPONSE}<baseValue baseType="float">1.50</baseValue></lte></and>'
                ),
                Interaction.NUMBER,
                {"ranges": [{"from": "0.5", "to": "1.50"}]},
            ),
            (declared("York", base="string"), CORRECT, Interaction.SHORT_TEXT, {"texts": ["York"]}),
            (
                declared("York", base="string", more=mapping(York="1", york="1")),
                MAPPED,
                Interaction.SHORT_TEXT,
                {"texts": ["York", "york"]},
            ),
            (declared(base="string"), CORRECT, Interaction.SHORT_TEXT, NO_KEY),
        ],
    )
    def test_of_entries(
        self, declaration: str, processing: str, interaction: Interaction, key: JsonObject
    ) -> None:
        found = the_item(declaration, ENTRY, processing)
        assert (found.interaction, found.key) == (interaction, key)

    def test_of_pairs_whose_single_items_stand_in_the_second_list(self) -> None:
        def listed(*names: str, most: str) -> str:
            tag = "simpleAssociableChoice"
            each = (f'<{tag} identifier="{name}" matchMax="{most}">{name}</{tag}>' for name in names)
            return f"<simpleMatchSet>{''.join(each)}</simpleMatchSet>"

        body = listed("P", "Q", most="3") + listed("X", "Y", "Z", most="1")
        found = the_item(
            declared("P X; P Y; Q Z", base="directedPair", cardinality="multiple"),
            f'<p>?x</p><matchInteraction responseIdentifier="RESPONSE">{body}</matchInteraction>',
        )
        assert found.key == {"pairs": {"1": ["a"], "2": ["a"], "3": ["b"]}}
        assert [choice.text["en"] for choice in found.choices] == ["X", "Y", "Z", "P", "Q"]

    def test_marks_for_a_part_are_listed(self) -> None:
        declaration = declared("A; B", cardinality="multiple", more=mapping(A="1", B="1", C="-1"))
        found = read(declaration, ASKED + choices("x", "y", "z"), MAPPED)
        assert len(found.not_kept) == 1
        assert found.not_kept[0].message.startswith("that some answers earn a part of the marks")

    def test_a_catalog_within_a_text_is_not_shown(self) -> None:
        rubric = '<rubricBlock view="candidate"><p>Choose.</p><catalogInfo>Elija.</catalogInfo></rubricBlock>'
        found = read(declared("A"), rubric + PAIR)
        assert found.items[0].text == {"en": "Choose.\n\n?x"}
        assert [remark.message for remark in found.not_kept] == ["its texts for assistive technology"]

    def test_names_of_qti_3(self) -> None:
        file = b"""<qti-assessment-item xmlns="http://www.imsglobal.org/xsd/imsqtiasi_v3p0" title="t">
          <qti-response-declaration identifier="RESPONSE" cardinality="multiple" base-type="identifier">
            <qti-correct-response><qti-value>H</qti-value><qti-value>O</qti-value></qti-correct-response>
          </qti-response-declaration>
          <qti-item-body><qti-choice-interaction response-identifier="RESPONSE" max-choices="3">
            <qti-prompt>Which form water?</qti-prompt>
            <qti-simple-choice identifier="H">Hydrogen</qti-simple-choice>
            <qti-simple-choice identifier="He">Helium</qti-simple-choice>
            <qti-simple-choice identifier="O">Oxygen</qti-simple-choice>
          </qti-choice-interaction></qti-item-body>
          <qti-response-processing
            template="https://purl.imsglobal.org/spec/qti/v3p0/rptemplates/match_correct.xml"/>
        </qti-assessment-item>"""
        assert is_qti(file)
        (found,) = read_qti(file, "en").items
        assert (found.text, found.key) == ({"en": "Which form water?"}, {"accepted": [["a", "c"]]})


PAIR = ASKED + choices("x", "y")
NO_LOWER_END = near('toleranceMode="absolute" tolerance="1" includeLowerBound="false"')
ORDER = '<orderInteraction responseIdentifier="RESPONSE"/>'
PAGE = '<object type="text/html" data="a.html"/>'
WIDE = f"<table><tr>{'<td>x</td>' * 100}</tr>{'<tr><td>y</td></tr>' * 50}</table>"
OWN_RULE = rule(f"<customOperator>{THE_RESPONSE}</customOperator>")


class TestWhatTheBankCannotHold:
    @pytest.mark.parametrize(
        ("parts", "why"),
        [
            ((declared("A"), "<p>Read.</p>"), "it asks for no response"),
            ((declared("A"), PAIR + PAIR), "it asks for 2 responses"),
            ((declared("A"), ASKED + choices(*"1234567")), "it has 7 options"),
            ((declared("A"), choices("x", "y")), "its question has no text"),
            ((declared("A"), ASKED + choices("x", "")), "option b has no text"),
            ((declared("A"), ASKED + ORDER), "it asks to put items in order"),
            ((declared("A"), PAGE + PAIR), "it has <object>"),
            ((declared("A"), WIDE + PAIR), "it has a table of more than 5,000 cells"),
            ((declared("A"), '<p><img src="a.png"/></p>' + PAIR), 'its image "a.png" is not in the file'),
            ((declared("A"), PAIR, OWN_RULE), "it is marked by a rule that a key cannot express (custom"),
            ((declared("3", base="float"), ENTRY, NO_LOWER_END), "its number is marked by a rule"),
            ((declared("A"), PAIR, CORRECT + "<templateProcessing/>"), "its numbers are drawn anew"),
        ],
    )
    def test_is_named(self, parts: tuple[str, ...], why: str) -> None:
        found = read(*parts)
        assert not found.items
        (remark,) = found.unsupported
        assert remark.message.startswith(why)
        assert str(remark.place) == 'question 1 "An item"'

    def test_an_adaptive_item(self) -> None:
        found = read(declared("A"), ASKED + choices("x", "y"), attributes='adaptive="true"')
        assert "adaptive" in found.unsupported[0].message


class TestMistakes:
    @pytest.mark.parametrize(
        ("parts", "what"),
        [
            ((declared("Z"), PAIR), 'the right answer names "Z"'),
            ((declared("A"), PAIR.replace('"B"', '"A"')), 'two options have the identifier "A"'),
            ((declared("many", base="float"), ENTRY), '"many" is not a number'),
        ],
    )
    def test_are_errors(self, parts: tuple[str, ...], what: str) -> None:
        (remark,) = read(*parts).errors
        assert remark.message.startswith(what)

    @pytest.mark.parametrize(
        ("file", "what"),
        [
            (b"<assessmentItem><itemBody>", "it is not well-formed XML"),
            (b"<!DOCTYPE assessmentItem><assessmentItem/>", "it has a document type"),
            (
                b'<!DOCTYPE a [<!ENTITY b "&b;&b;">]><assessmentItem>&b;</assessmentItem>',
                "it has a document type",
            ),
            (b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><assessmentItem/>', "it has a document type"),
            (b'<a><b:include xmlns:b="http://www.w3.org/2001/XInclude" href="c"/></a>', "it includes"),
            (b"<assessmentItem>" + b"<div>" * 200, "it has too many elements"),
            (b'<?xml version="1.0" encoding="x-none"?><assessmentItem/>', "its encoding is not known"),
            (b"<questestinterop/>", "the file is in QTI 1.2"),
            (b"<html/>", "the file has no item of QTI"),
            (b"<assessmentItem/>", "the item has no itemBody"),
            (item("", "<br/>" * 10_001), "it has too many elements"),
            (item("", "x" * 45_001), "its texts have more than 45,000 characters"),
        ],
    )
    def test_of_the_file(self, file: bytes, what: str) -> None:
        (remark,) = read_qti(file, "en").errors
        assert remark.message.startswith(what)
