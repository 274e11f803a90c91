"""Questions in the formats of other programs, imported and exported over HTTP."""

import io
import zipfile
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.builders.images import new_image

Json = dict[str, Any]


async def bring(author: httpx.AsyncClient, file: bytes, **form: str) -> Json:
    answer = await author.post("/questions/import", files={"file": file}, data=form)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def aiken(name: str) -> bytes:
    return f"Which river is {name}?\nA. Ganga\nB. Narmada\nANSWER: B\n".encode()


async def found(author: httpx.AsyncClient, name: str) -> list[Json]:
    return list((await author.get("/questions", params={"query": name})).json()["items"])


class TestAiken:
    async def test_it_is_recognized_imported_and_exported_again(self, author: httpx.AsyncClient) -> None:
        name = uuid4().hex
        report = await bring(author, aiken(name), subject=name)
        assert (report["format"], report["created"], report["errors"]) == ("aiken", 1, [])
        (question,) = await found(author, name)
        assert question["key"] == {"accepted": [["b"]]}
        answer = await author.post(
            "/questions/export", json={"format": "aiken", "subject_id": question["subject_id"]}
        )
        assert answer.status_code == 200, answer.text
        assert answer.content == aiken(name)
        assert answer.headers["X-Questions-Exported"] == "1"
        again = await bring(author, answer.content, subject=name, format="aiken")
        assert (again["unchanged"], again["errors"], again["warnings"]) == (1, [], [])

    async def test_a_sheet_is_read_as_a_sheet(self, author: httpx.AsyncClient) -> None:
        name = uuid4().hex
        report = await bring(author, f"subject,question,option_a,option_b,key\n{name},{name}?,x,y,a".encode())
        assert (report["format"], report["created"]) == ("sheet", 1)

    async def test_a_mistake_is_an_error_with_question_and_line(self, author: httpx.AsyncClient) -> None:
        name = uuid4().hex
        file = aiken(name) + aiken(f"{name} 2").replace(b"ANSWER: B", b"ANSWER: C")
        report = await bring(author, file, subject=name)
        assert (report["format"], report["created"]) == ("aiken", 0)
        assert [(error["row"], error["field"]) for error in report["errors"]] == [(2, "file")]
        assert report["errors"][0]["cell"].startswith("question 2 ")
        assert report["errors"][0]["cell"].endswith(", line 5")
        assert await found(author, name) == []

    async def test_no_subject_is_an_error(self, author: httpx.AsyncClient) -> None:
        report = await bring(author, aiken(uuid4().hex))
        assert [error["field"] for error in report["errors"]] == ["subject"]

    async def test_an_export_that_would_lose_something_is_refused_with_a_list(
        self, author: httpx.AsyncClient
    ) -> None:
        name = uuid4().hex
        rows = f"{name} 1?,x,y,a,\n{name} 2?,x,y,b,fun\n{name} 3?,x,y,a|b,"
        await bring(author, f"question,option_a,option_b,key,tags\n{rows}".encode(), subject=name)
        questions = await found(author, name)
        body = {"format": "aiken", "subject_id": questions[0]["subject_id"]}
        refused = await author.post("/questions/export", json=body)
        assert refused.status_code == 422
        assert [error["question_id"] for error in refused.json()["errors"]] == [
            questions[2]["id"],
            questions[1]["id"],
        ]
        answer = await author.post("/questions/export", json=body | {"leave_out_unsupported": True})
        assert answer.status_code == 200
        assert answer.headers["X-Questions-Exported"] == "2"
        assert answer.headers["X-Questions-Left-Out"] == "1"

    async def test_a_zip_of_images_has_nothing_to_do_with_it(self, author: httpx.AsyncClient) -> None:
        files = {"file": aiken(uuid4().hex), "images": b"PK"}
        answer = await author.post("/questions/import", files=files)
        assert answer.status_code == 422
        assert [error["field"] for error in answer.json()["errors"]] == ["images"]


class TestGift:
    FILE = r"""$CATEGORY: {name}/Rivers

// [id:{name}-1] [tag:maps]
::One::[html]<p>Which river is <b>{name}</b>?</p>{{=Ganga ~Kaveri \\{{south\\}} ####It is long.}}

{name} is true. {{T}}

What is {name}? {{=this =that}}

How many are {name}? {{#3.14:0.01}}

Match {name}.{{=Ganga -> north =Kaveri -> south}}
"""

    async def test_an_export_changes_nothing(self, author: httpx.AsyncClient) -> None:
        name = uuid4().hex
        report = await bring(author, self.FILE.format(name=name).replace("\\\\", "\\").encode())
        assert (report["format"], report["created"], report["errors"]) == ("gift", 5, [])
        questions = await found(author, name)
        body = {"format": "gift", "subject_id": questions[0]["subject_id"]}
        answer = await author.post("/questions/export", json=body)
        assert answer.headers["X-Questions-Exported"] == "5", answer.text
        again = await bring(author, answer.content)
        assert (again["unchanged"], again["errors"], again["warnings"]) == (5, [], [])

    async def test_what_the_bank_cannot_hold_is_an_error_or_left_out(self, author: httpx.AsyncClient) -> None:
        name = uuid4().hex
        file = f"::A::Read {name}.\n\n::B::Is {name} true? {{T}}\n".encode()
        refused = await bring(author, file, subject=name)
        assert [(error["row"], error["field"]) for error in refused["errors"]] == [(1, "file")]
        assert "skip_unsupported" in refused["errors"][0]["message"]
        report = await bring(author, file, subject=name, skip_unsupported="true")
        assert report["created"] == 1
        assert [warning["row"] for warning in report["warnings"]][:1] == [1]
        assert report["warnings"][0]["message"].startswith("not imported: ")


class TestMoodleXml:
    async def test_entities_and_document_types_are_refused(self, author: httpx.AsyncClient) -> None:
        bomb = b'<!DOCTYPE quiz [<!ENTITY a "0123456789">]><quiz>&a;</quiz>'
        answer = await author.post("/questions/import", files={"file": bomb}, data={"format": "moodle-xml"})
        assert answer.status_code == 422
        assert [error["field"] for error in answer.json()["errors"]] == ["file"]

    async def test_hindi_that_is_taken_for_english_is_a_warning(self, author: httpx.AsyncClient) -> None:
        name = uuid4().hex
        file = "गंगा कहाँ है? {=उत्तर ~दक्षिण}".encode()
        report = await bring(author, file, subject=name, format="gift", dry_run="true")
        assert ["Devanagari" in warning["message"] for warning in report["warnings"]] == [True]
        report = await bring(author, file, subject=name, format="gift", dry_run="true", language="hi")
        assert report["warnings"] == []


class TestQti:
    @pytest.mark.parametrize("name", ["qti", "qti-2.1", "qti-3.0"])
    async def test_an_export_with_an_image_changes_nothing(
        self, author: httpx.AsyncClient, name: str
    ) -> None:
        subject, images = uuid4().hex, io.BytesIO()
        with zipfile.ZipFile(images, "w") as archive:
            archive.writestr("map.png", new_image())
        sheet = f"question,question_hi,option_a,option_b,key,image\n{subject} *which*?,कौन?,x,y,b,map.png\n"
        sent = {"file": sheet.encode(), "images": images.getvalue()}
        answer = await author.post("/questions/import", files=sent, data={"subject": subject})
        assert answer.json()["created"] == 1, answer.text
        (question,) = await found(author, subject)
        body = {"format": name, "subject_id": question["subject_id"]}
        exported = await author.post("/questions/export", json=body)
        assert exported.status_code == 200, exported.text
        assert exported.headers["Content-Type"] == "application/zip"
        assert exported.headers["Content-Disposition"] == 'attachment; filename="questions.zip"'
        again = await bring(author, exported.content)
        assert (again["format"], again["unchanged"], again["errors"]) == ("qti", 1, [])
        assert again["warnings"] == []

    async def test_what_the_bank_cannot_hold_is_an_error_or_left_out(self, author: httpx.AsyncClient) -> None:
        item = b"""<assessmentItem xmlns="http://www.imsglobal.org/xsd/imsqti_v2p2" title="Order">
          <itemBody><p>Sort.</p><orderInteraction responseIdentifier="R"/></itemBody></assessmentItem>"""
        report = await bring(author, item, subject=uuid4().hex)
        assert report["format"] == "qti"
        assert report["errors"][0]["message"].startswith("it asks to put items in order")
        assert report["errors"][0]["cell"] == 'question 1 "Order"'
        report = await bring(author, item, subject=uuid4().hex, skip_unsupported="true")
        assert report["errors"] == []
        assert report["warnings"][0]["message"].startswith("not imported: it asks to put items in order")
