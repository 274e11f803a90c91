"""Files of QTI that are made to take long or much memory, for `tests/fuzz_interchange.py`."""

import io
import zipfile

_ITEM = (
    '<assessmentItem title="A">'
    '<responseDeclaration identifier="RESPONSE" cardinality="single" baseType="identifier">'
    "<correctResponse><value>A</value></correctResponse>{mapping}</responseDeclaration>"
    '<itemBody><p>Q</p>{body}<choiceInteraction responseIdentifier="RESPONSE" maxChoices="1">'
    '<simpleChoice identifier="A">x</simpleChoice><simpleChoice identifier="B">y</simpleChoice>'
    "</choiceInteraction></itemBody>{processing}</assessmentItem>"
)
_MATCH = "<match><variable identifier='RESPONSE'/><correct identifier='RESPONSE'/></match>"


def items() -> dict[str, bytes]:
    """Single items."""
    texts = {
        "stars": "*" * 44_000,
        "words in stars": " *a" * 14_000,
        "backslashes": "\\" * 44_000,
        "formulas": "$x" * 21_000,
        "bars": "|a|<br/>|-|<br/>" * 4_000,
        "bold": "<b><i>" * 40 + "x y" + "</i></b>" * 40,
        "cells": "<table><tr>" + "<td>x</td>" * 4_000 + "</tr>" + "<tr><td>y</td></tr>" * 2_000 + "</table>",
        "tables": "<table><tr><td>*y*|</td></tr></table>" * 3_000,
        "languages": "".join(f'<div xml:lang="x{number}">a</div>' for number in range(9_000)),
        "elements": "<br/>" * 2_000_000,
        "levels": "<div>" * 1_000_000,
        "text": "x " * 10_000_000,
        "images": "<img src='data:image/png;base64,AAAA'/>" * 9_000,
    }
    made = {name: _ITEM.format(body=text, mapping="", processing="") for name, text in texts.items()}
    entries = "".join(f'<mapEntry mapKey="k{n}" mappedValue="1e{n % 99}"/>' for n in range(9_000))
    made["mapping"] = _ITEM.format(body="", mapping=f"<mapping>{entries}</mapping>", processing="")
    rules = f"<responseIf>{'<or>' * 40}{_MATCH * 2_500}{'</or>' * 40}</responseIf>"
    condition = f"<responseProcessing><responseCondition>{rules}</responseCondition></responseProcessing>"
    made["rules"] = _ITEM.format(body="", mapping="", processing=condition)
    laughs = "".join(f'<!ENTITY l{number} "{f"&l{number - 1};" * 10}">' for number in range(1, 10))
    made["entities"] = f'<!DOCTYPE a [<!ENTITY l0 "ha">{laughs}]><assessmentItem>&l9;</assessmentItem>'
    return {name: item.encode() for name, item in made.items()}


def packages() -> dict[str, bytes]:
    """Packages of many or large files."""
    plain = _ITEM.format(body="", mapping="", processing="")
    return {
        "package": _packed({f"i{n}.xml": plain.encode() for n in range(1_000)}),
        "large items": _packed({f"i{n}.xml": b"<a>" + b"<b/>" * 400_000 for n in range(10)}),
        "one large item": _packed({"i.xml": plain.encode() + bytes(99_000_000)}),
        "too large": _packed({"i.xml": bytes(110_000_000)}),
    }


def _packed(files: dict[str, bytes]) -> bytes:
    resources = "".join(f'<resource type="imsqti_item_xmlv2p1" href="{path}"/>' for path in files)
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("imsmanifest.xml", f"<manifest><resources>{resources}</resources></manifest>")
        for path, file in files.items():
            archive.writestr(path, file)
    return content.getvalue()
