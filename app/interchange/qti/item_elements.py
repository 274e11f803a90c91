"""A question of the bank as an item of QTI: its interaction, what is right, and how it is marked."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from xml.etree.ElementTree import Element, SubElement

from app.engine.question_types import Interaction, JsonObject, type_with
from app.interchange.items import Choice, Item
from app.interchange.qti.to_xhtml import add_images, add_texts
from app.interchange.qti.versions import Version

_RESPONSE = "RESPONSE"
_FEEDBACK = "FEEDBACK"
_SHOWN = "explanation"


def item_element(
    item: Item,
    version: Version,
    identifier: str,
    title: str,
    images: Iterable[str],
    passage: Mapping[str, str] | None = None,
) -> Element:
    """Return the item as a tree. `images` are addresses, and `passage` what refers to the passage."""
    language = first_language(item)
    root = Element(
        "assessmentItem",
        {
            "xmlns": version.namespace,
            "xmlns:xsi": "http://www.w3.org/2001/XMLSchema-instance",
            "xsi:schemaLocation": f"{version.namespace} {version.schema}",
            "identifier": identifier,
            "title": title,
            "adaptive": "false",
            "timeDependent": "false",
            "xml:lang": language,
        },
    )
    written = _WRITERS[item.interaction](_Writer(item, version, language))
    root.append(written.declaration)
    root.append(_outcome("SCORE", "float", "0"))
    if item.explanation:
        root.append(_outcome(_FEEDBACK, "identifier", _SHOWN))
    if passage is not None:
        SubElement(root, "assessmentStimulusRef", dict(passage))
    body = SubElement(root, "itemBody")
    add_texts(body, item.text, language)
    add_images(body, images)
    body.append(written.interaction)
    if written.processing is not None:
        root.append(written.processing)
    if item.explanation:
        root.append(_explanation(item, version, language))
    return root


def first_language(item: Item) -> str:
    """The language of what has no mark of its own."""
    return "en" if "en" in item.text else min(item.text, default="en")


def _outcome(identifier: str, base_type: str, value: str) -> Element:
    outcome = Element(
        "outcomeDeclaration", {"identifier": identifier, "cardinality": "single", "baseType": base_type}
    )
    SubElement(SubElement(outcome, "defaultValue"), "value").text = value
    return outcome


def _explanation(item: Item, version: Version, language: str) -> Element:
    feedback = Element(
        "modalFeedback", {"outcomeIdentifier": _FEEDBACK, "identifier": _SHOWN, "showHide": "show"}
    )
    add_texts(
        SubElement(feedback, "contentBody") if version.is_dashed else feedback, item.explanation, language
    )
    return feedback


@dataclass(frozen=True, slots=True)
class _Written:
    """The parts of an item that depend on its type."""

    declaration: Element
    interaction: Element
    processing: Element | None


@dataclass(frozen=True, slots=True)
class _Writer:
    """What a type needs to write its parts."""

    item: Item
    version: Version
    language: str

    def declared(self, base_type: str, correct: Sequence[str], *, cardinality: str = "single") -> Element:
        declaration = Element(
            "responseDeclaration",
            {"identifier": _RESPONSE, "cardinality": cardinality, "baseType": base_type},
        )
        if correct:
            holder = SubElement(declaration, "correctResponse")
            for value in correct:
                SubElement(holder, "value").text = value
        return declaration

    def template(self, name: str) -> Element:
        return Element("responseProcessing", {"template": self.version.template(name)})

    def options(self, parent: Element, tag: str, choices: Iterable[Choice], **attributes: str) -> None:
        for choice in choices:
            option = SubElement(parent, tag, {"identifier": _identifier(choice.id), **attributes})
            if choice.is_fixed:
                option.set("fixed", "true")
            add_texts(option, choice.text, self.language)


def _identifier(option: str) -> str:
    """An identifier of XML, which does not begin with a digit."""
    return f"L{option}" if option.isdecimal() else option


def _mapping(declaration: Element, values: Iterable[str], **attributes: str) -> None:
    mapping = SubElement(declaration, "mapping", {"defaultValue": "0"})
    for value in values:
        SubElement(mapping, "mapEntry", {"mapKey": value, "mappedValue": "1", **attributes})


def _one_option(writer: _Writer) -> _Written:
    return _options(writer, writer.item.choices)


def _true_or_false(writer: _Writer) -> _Written:
    languages = sorted(writer.item.text)
    options = [
        Choice(option["id"], {each: option["text"].get(each, option["text"]["en"]) for each in languages})
        for option in type_with(Interaction.TRUE_OR_FALSE).shown_options(())
    ]
    return _options(writer, options)


def _options(writer: _Writer, choices: Sequence[Choice]) -> _Written:
    accepted = [answer[0] for answer in writer.item.key["accepted"]]
    declaration = writer.declared("identifier", accepted[:1])
    if len(accepted) > 1:
        _mapping(declaration, accepted)
    processing = writer.template("map_response" if len(accepted) > 1 else "match_correct")
    return _Written(declaration, _choice_interaction(writer, choices, "1"), processing)


def _several_options(writer: _Writer) -> _Written:
    accepted = writer.item.key["accepted"]
    declaration = writer.declared("identifier", accepted[0] if accepted else (), cardinality="multiple")
    processing = writer.template("match_correct")
    if len(accepted) > 1:
        processing = _any_of(_match(_values("identifier", answer)) for answer in accepted)
    return _Written(declaration, _choice_interaction(writer, writer.item.choices, "0"), processing)


def _choice_interaction(writer: _Writer, choices: Sequence[Choice], most: str) -> Element:
    interaction = Element(
        "choiceInteraction", {"responseIdentifier": _RESPONSE, "shuffle": "true", "maxChoices": most}
    )
    writer.options(interaction, "simpleChoice", choices)
    return interaction


def _any_of(tests: Iterable[Element]) -> Element:
    """Response processing with conditions, of which each is enough."""
    processing = Element("responseProcessing")
    condition = SubElement(processing, "responseCondition")
    branch = SubElement(condition, "responseIf")
    tests = list(tests)
    if len(tests) > 1:
        SubElement(branch, "or").extend(tests)
    else:
        branch.extend(tests)
    SubElement(
        SubElement(branch, "setOutcomeValue", {"identifier": "SCORE"}), "baseValue", {"baseType": "float"}
    ).text = "1"
    return processing


def _variable() -> Element:
    return Element("variable", {"identifier": _RESPONSE})


def _value(base_type: str, text: str) -> Element:
    value = Element("baseValue", {"baseType": base_type})
    value.text = text
    return value


def _values(base_type: str, texts: Iterable[str]) -> Element:
    values = Element("multiple")
    values.extend(_value(base_type, text) for text in texts)
    return values


def _match(other: Element) -> Element:
    return _test("match", _variable(), other)


def _test(name: str, *parts: Element, **attributes: str) -> Element:
    test = Element(name, attributes)
    test.extend(parts)
    return test


def _number(writer: _Writer) -> _Written:
    key = writer.item.key
    if "ranges" in key:
        return _ranges(writer, key["ranges"])
    if "value" not in key:
        return _entry(writer.declared("float", ()), writer.template("match_correct"))
    tolerance = key.get("tolerance", "0")
    near = _test(
        "equal",
        _variable(),
        Element("correct", {"identifier": _RESPONSE}),
        toleranceMode="absolute",
        tolerance=f"{tolerance} {tolerance}",
    )
    return _entry(writer.declared("float", [key["value"]]), _any_of([near]))


def _ranges(writer: _Writer, ranges: Sequence[JsonObject]) -> _Written:
    tests = [
        _test(
            "and",
            _test("gte", _variable(), _value("float", each["from"])),
            _test("lte", _variable(), _value("float", each["to"])),
        )
        for each in ranges
    ]
    return _entry(writer.declared("float", [ranges[0]["from"]]), _any_of(tests))


def _short_text(writer: _Writer) -> _Written:
    texts = writer.item.key.get("texts", ())
    declaration = writer.declared("string", texts[:1])
    if texts:
        case_sensitive = writer.item.key.get("case_sensitive", False)
        _mapping(declaration, texts, caseSensitive="true" if case_sensitive else "false")
    return _entry(declaration, writer.template("map_response" if texts else "match_correct"))


def _entry(declaration: Element, processing: Element) -> _Written:
    paragraph = Element("p")
    SubElement(paragraph, "textEntryInteraction", {"responseIdentifier": _RESPONSE})
    return _Written(declaration, paragraph, processing)


def _pairs(writer: _Writer) -> _Written:
    pairs: Mapping[str, Sequence[str]] = writer.item.key.get("pairs", {})
    named = [[f"{_identifier(left)} {right}" for right in rights] for left, rights in pairs.items()]
    declaration = writer.declared("directedPair", [each[0] for each in named], cardinality="multiple")
    has_choice = any(len(each) > 1 for each in named)
    if has_choice:
        _mapping(declaration, (pair for each in named for pair in each))
    left = [choice for choice in writer.item.choices if choice.id.isdecimal()]
    right = [choice for choice in writer.item.choices if not choice.id.isdecimal()]
    interaction = Element(
        "matchInteraction",
        {"responseIdentifier": _RESPONSE, "shuffle": "false", "maxAssociations": str(len(left))},
    )
    for choices, most in ((left, "1"), (right, str(len(left)))):
        writer.options(
            SubElement(interaction, "simpleMatchSet"), "simpleAssociableChoice", choices, matchMax=most
        )
    return _Written(
        declaration, interaction, writer.template("map_response" if has_choice else "match_correct")
    )


def _essay(writer: _Writer) -> _Written:
    interaction = Element("extendedTextInteraction", {"responseIdentifier": _RESPONSE})
    return _Written(writer.declared("string", ()), interaction, None)


_WRITERS: Mapping[Interaction, Callable[[_Writer], _Written]] = {
    Interaction.ONE_OPTION: _one_option,
    Interaction.SEVERAL_OPTIONS: _several_options,
    Interaction.TRUE_OR_FALSE: _true_or_false,
    Interaction.NUMBER: _number,
    Interaction.SHORT_TEXT: _short_text,
    Interaction.PAIRS: _pairs,
    Interaction.ESSAY: _essay,
}
