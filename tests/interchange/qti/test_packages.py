"""Packages that are damaged, hostile, or packed as other systems pack them."""

import io
import zipfile
from collections.abc import Mapping
from dataclasses import replace

import pytest

from app.interchange.errors import UnreadableFile
from app.interchange.items import ItemFile
from app.interchange.qti import packages
from app.interchange.qti.reading import is_qti, read_qti
from app.sheets.errors import SheetTooLarge
from app.sheets.limits import MAX_BYTES

ITEM = """<assessmentItem xmlns="http://www.imsglobal.org/xsd/imsqti_v2p1" identifier="a" title="A">
<responseDeclaration identifier="RESPONSE" cardinality="single" baseType="identifier">
<correctResponse><value>A</value></correctResponse></responseDeclaration>
<itemBody><p>Which?</p>{body}<choiceInteraction responseIdentifier="RESPONSE" maxChoices="1">
<simpleChoice identifier="A">x</simpleChoice><simpleChoice identifier="B">y</simpleChoice>
</choiceInteraction></itemBody></assessmentItem>"""
PLAIN = ITEM.format(body="")


def manifest(*paths: str, kind: str = "imsqti_item_xmlv2p1", more: str = "") -> str:
    resources = "".join(
        f'<resource identifier="r{position}" type="{kind}" href="{path}">{more}</resource>'
        for position, path in enumerate(paths)
    )
    return (
        '<manifest xmlns="http://www.imsglobal.org/xsd/imscp_v1p1" identifier="m">'
        f"<resources>{resources}</resources></manifest>"
    )


def packed(files: Mapping[str, str | bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", method) as archive:
        for path, file in files.items():
            archive.writestr(path, file)
    return content.getvalue()


def shown(source: str, files: Mapping[str, bytes]) -> ItemFile:
    item = ITEM.format(body=f'<p><img src="{source}" alt=""/></p>')
    return read_qti(packed({"imsmanifest.xml": manifest("items/a.xml"), "items/a.xml": item, **files}), "en")


class TestWhatIsNotKept:
    @pytest.mark.parametrize(
        "kind", ["imsqti_test_xmlv2p1", "imsqti_assessment_xmlv2p2", "imsqti_test_xmlv3p0"]
    )
    def test_a_test_is_named_and_its_items_are_read(self, kind: str) -> None:
        with_test = manifest("a.xml").replace(
            "</resources>", f'<resource identifier="t" type="{kind}" href="test.xml"/></resources>'
        )
        found = read_qti(packed({"imsmanifest.xml": with_test, "a.xml": PLAIN, "test.xml": "<test/>"}), "en")
        assert len(found.items) == 1
        assert [(str(each.place), each.message.split(";")[0]) for each in found.not_kept] == [
            ("question 1, test.xml", "the title, sections and order of the test")
        ]


class TestWhereFilesStand:
    def test_a_folder_around_the_package_and_files_of_systems(self) -> None:
        file = packed(
            {
                "__MACOSX/bank/._imsmanifest.xml": b"\0",
                "bank/imsmanifest.xml": manifest("items/a%20b.xml"),
                "bank/items/a b.xml": PLAIN,
                "bank/.DS_Store": b"\0",
            }
        )
        assert is_qti(file)
        found = read_qti(file, "en")
        assert [str(item.place) for item in found.items] == ['question 1 "A", bank/items/a b.xml']
        assert not found.errors

    def test_items_without_a_manifest_are_read_by_name(self) -> None:
        found = read_qti(packed({"b.xml": PLAIN, "a.xml": PLAIN, "a.css": "p {}"}), "en")
        assert [item.place.at for item in found.items] == ["a.xml", "b.xml"]

    @pytest.mark.parametrize(
        ("source", "path"),
        [
            ("a.png", "items/a.png"),
            ("../images/a.png", "images/a.png"),
            ("../Images/A.PNG?x=1", "images/a.png"),
            ("a%20b.png", "items/a b.png"),
        ],
    )
    def test_images_are_found_from_their_item(self, source: str, path: str) -> None:
        found = shown(source, {path: b"an image"})
        name = path.rpartition("/")[2]
        assert (found.items[0].images, found.images) == ([name], {name: b"an image"})

    def test_images_of_one_name_in_two_folders(self) -> None:
        item = ITEM.format(body='<p><img src="a.png" alt=""/><img src="b/A.png" alt=""/></p>')
        files: dict[str, str | bytes] = {"imsmanifest.xml": manifest("a.xml"), "a.xml": item}
        files |= {"a.png": b"1", "b/A.png": b"2"}
        assert read_qti(packed(files), "en").images == {"a.png": b"1", "b_a.png": b"2"}

    def test_an_image_within_its_address(self) -> None:
        found = shown("data:image/png;base64,YW4gaW1hZ2U=", {})
        assert found.images == {"image-1.png": b"an image"}

    @pytest.mark.parametrize(
        "source", ["missing.png", "../../a.png", "/etc/passwd", "data:image/png;base64,x", ""]
    )
    def test_an_image_that_is_not_there_is_an_error(self, source: str) -> None:
        found = shown(source, {})
        assert (len(found.errors), found.items) == (1, [])

    @pytest.mark.parametrize(
        "source", ["https://example.org/a.png", "//example.org/a.png", "file:///etc/passwd"]
    )
    def test_nothing_is_fetched(self, source: str) -> None:
        (remark,) = shown(source, {}).unsupported
        assert "is not in the package" in remark.message


class TestMetadata:
    def test_of_other_programs(self) -> None:
        lom = (
            '<metadata><lom xmlns="http://ltsc.ieee.org/xsd/LOM"><general>'
            "<identifier><catalog>URI</catalog><entry>x</entry></identifier>"
            "<keyword><string>rivers</string><string>Fluss</string></keyword></general>"
            "<educational><difficulty><value>very difficult</value></difficulty></educational>"
            "</lom></metadata>"
        )
        file = packed({"imsmanifest.xml": manifest("a.xml", more=lom), "a.xml": PLAIN})
        (item,) = read_qti(file, "en").items
        assert (item.tags, item.difficulty, item.external_id) == (["rivers"], "hard", None)


class TestRefused:
    @pytest.mark.parametrize(
        ("files", "what"),
        [
            ({"imsmanifest.xml": "<manifest>"}, "cannot be read"),
            ({"imsmanifest.xml": "<!DOCTYPE m><manifest/>"}, "it has a document type"),
            ({"imsmanifest.xml": manifest("a.xml", kind="webcontent")}, "no items of QTI 2 or 3"),
            ({"imsmanifest.xml": manifest("a.xml", kind="imsqti_xmlv1p2")}, "QTI 1.2"),
            ({"imsmanifest.xml": manifest("a.xml"), "../a.xml": PLAIN}, "a path outside"),
            ({"imsmanifest.xml": manifest("a.xml"), "/a.xml": PLAIN}, "a path outside"),
            ({"imsmanifest.xml": manifest("a.xml"), "C:\\a.xml": PLAIN}, "a path outside"),
            ({"imsmanifest.xml": manifest("a.xml"), "a.xml": PLAIN, "A.xml": PLAIN}, "two files called"),
        ],
    )
    def test_as_a_whole(self, files: Mapping[str, str], what: str) -> None:
        with pytest.raises(UnreadableFile, match=what):
            read_qti(packed(files), "en")

    @pytest.mark.parametrize(("size", "what"), [(2_200_000, "larger than"), (1_800_000, "more tightly")])
    def test_expansions(self, size: int, what: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(packages, "LIMITS", replace(packages.LIMITS, unpacked_bytes=2_000_000))
        file = packed({"imsmanifest.xml": manifest("a.xml"), "a.xml": bytes(size)})
        assert len(file) < size // 100
        with pytest.raises(UnreadableFile, match=what):
            read_qti(file, "en")

    def test_unusual_methods(self) -> None:
        file = packed({"imsmanifest.xml": manifest("a.xml"), "a.xml": PLAIN}, zipfile.ZIP_LZMA)
        with pytest.raises(UnreadableFile, match="unusual way"):
            read_qti(file, "en")

    def test_too_large_files(self) -> None:
        with pytest.raises(SheetTooLarge):
            read_qti(b"<" * (MAX_BYTES + 1), "en")

    def test_entities_in_an_item_are_an_error_of_this_item(self) -> None:
        bomb = '<!DOCTYPE a [<!ENTITY b "bbbb"><!ENTITY c "&b;&b;&b;">]><assessmentItem>&c;</assessmentItem>'
        file = packed({"imsmanifest.xml": manifest("a.xml", "b.xml"), "a.xml": bomb, "b.xml": PLAIN})
        found = read_qti(file, "en")
        assert [remark.place.at for remark in found.errors] == ["a.xml"]
        assert len(found.items) == 1

    def test_a_missing_item_is_an_error(self) -> None:
        (remark,) = read_qti(packed({"imsmanifest.xml": manifest("a.xml")}), "en").errors
        assert remark.message == 'there is no file "a.xml" in the package'

    def test_elements_of_all_items_have_one_limit(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("app.interchange.qti.elements.XmlReader.__init__.__defaults__", (20,))
        file = packed({"imsmanifest.xml": manifest("a.xml", "b.xml"), "a.xml": PLAIN, "b.xml": PLAIN})
        found = read_qti(file, "en")
        assert (len(found.items), [remark.place.at for remark in found.errors]) == (1, ["b.xml"])
