"""Questions with images: written, imported with a ZIP, and shown to candidates."""

import io
import zipfile
from typing import Any
from uuid import UUID, uuid4

import httpx

from app.services.components import Components
from tests.builders.attempts import start
from tests.builders.content import UPSC, PublishedTest
from tests.builders.images import decoded, new_image, uploaded
from tests.builders.people import People

Json = dict[str, Any]


def zipped(**files: bytes) -> bytes:
    """PNG files by their names."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in files.items():
            archive.writestr(f"{name}.png", content)
    return out.getvalue()


def sheet(*cells: str) -> bytes:
    """A question for each `image` cell."""
    name = uuid4().hex
    rows = [f"{name}-{n},{name},Which river is {name}-{n}?,x,y,a,{cell}" for n, cell in enumerate(cells)]
    return "\n".join(["external_id,subject,question,option_a,option_b,key,image", *rows]).encode()


async def bring(author: httpx.AsyncClient, file: bytes, images: bytes | None = None, **form: str) -> Json:
    files = {"file": file} | ({"images": images} if images is not None else {})
    answer = await author.post("/questions/import", files=files, data=form)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def imported(author: httpx.AsyncClient, file: bytes) -> list[Json]:
    """The questions of the sheet, in its order."""
    name = file.splitlines()[1].split(b",")[1].decode()
    answer = await author.get("/questions", params={"query": name})
    return list(answer.json()["items"])


async def published(author: httpx.AsyncClient, question_ids: list[str]) -> PublishedTest:
    body = {
        "title": "Maps",
        "kind": "practice",
        "duration_seconds": 600,
        "marking": UPSC,
        "sections": [{"name": "Paper", "question_ids": question_ids}],
    }
    made = await author.post("/tests", json=body)
    assert made.status_code == 201, made.text
    test = PublishedTest(UUID(made.json()["id"]), [UUID(question_id) for question_id in question_ids])
    answer = await author.post(f"{test.path}/publish")
    assert answer.status_code == 200, answer.text
    return test


class TestImport:
    async def test_a_candidate_sees_an_image_of_the_zip(
        self, author: httpx.AsyncClient, people: People
    ) -> None:
        file, content = sheet("river.png", ""), new_image()
        report = await bring(author, file, zipped(river=content))
        assert (report["created"], report["errors"]) == (2, [])
        rows = await imported(author, file)
        made = await published(author, [row["id"] for row in rows])
        sitting = await start(await people.candidate(), made)
        paper = (await sitting.client.get(f"{made.path}/questions")).json()
        shown = {question["id"]: question["media"] for question in paper["questions"]}
        ((image,), none) = (shown[row["id"]] for row in rows)
        assert none == []
        assert [image["id"]] == rows[0]["media"]
        fetched = await sitting.client.get(f"/media/{image['id']}")
        assert fetched.status_code == 200
        assert decoded(fetched.content).tobytes() == decoded(content).tobytes()
        stranger = await people.candidate()
        assert (await stranger.get(f"/media/{image['id']}")).status_code == 404

    async def test_a_dry_run_and_an_export_again(self, author: httpx.AsyncClient) -> None:
        file, images = sheet("river.png"), zipped(river=new_image(), spare=new_image())
        dry = await bring(author, file, images, dry_run="true")
        assert await imported(author, file) == []
        real = await bring(author, file, images)
        assert dry == real | {"questions": []}
        assert [(warning["row"], warning["field"]) for warning in real["warnings"]] == [(1, "images")]
        (made,) = await imported(author, file)
        export = await author.post("/questions/export", json={"subject_id": made["subject_id"]})
        again = await bring(author, export.content)
        assert (again["unchanged"], again["errors"]) == (1, [])

    async def test_a_missing_file_is_an_error_of_its_row(self, author: httpx.AsyncClient) -> None:
        file = sheet("river.png", "lake.png")
        report = await bring(author, file, zipped(river=new_image()))
        assert [(error["row"], error["field"]) for error in report["errors"]] == [(3, "image")]
        assert await imported(author, file) == []

    async def test_what_is_no_zip_is_refused(self, author: httpx.AsyncClient) -> None:
        files = {"file": sheet("river.png"), "images": new_image()}
        answer = await author.post("/questions/import", files=files)
        assert answer.status_code == 422
        assert [error["field"] for error in answer.json()["errors"]] == ["images"]

    async def test_sheet_and_images_together_have_a_limit(
        self, author: httpx.AsyncClient, parts: Components
    ) -> None:
        files = {"file": sheet("river.png"), "images": bytes(parts.settings.max_upload_bytes)}
        assert (await author.post("/questions/import", files=files)).status_code == 413


class TestWrite:
    async def test_a_question_shows_images_of_the_bank(
        self, author: httpx.AsyncClient, people: People
    ) -> None:
        file = sheet("")
        await bring(author, file)
        (question,) = await imported(author, file)
        first, second = [(await uploaded(author))["id"] for _ in range(2)]
        path = f"/questions/{question['id']}"
        changed = await author.patch(path, json={"media": [second, first]})
        assert (changed.json()["media"], changed.json()["version"]) == ([second, first], 2)
        missing = await author.patch(path, json={"media": [first, str(uuid4())]})
        assert missing.status_code == 422
        assert [error["field"] for error in missing.json()["errors"]] == ["media.1"]
        twice = await author.patch(path, json={"media": [first, first]})
        assert twice.status_code == 422

    async def test_a_retired_passage_is_not_taken(self, author: httpx.AsyncClient) -> None:
        name = uuid4().hex
        passage = await author.post("/passages", json={"text": "Read this.", "external_id": name})
        passage_id = passage.json()["id"]
        assert (await author.post(f"/passages/{passage_id}/retire")).status_code == 200
        file = sheet("")
        await bring(author, file)
        (question,) = await imported(author, file)
        answer = await author.patch(f"/questions/{question['id']}", json={"passage_id": passage_id})
        assert [error["field"] for error in answer.json()["errors"]] == ["passage_id"]
        report = await bring(author, file.replace(b",image\n", b",passage_id\n") + name.encode())
        assert [(error["row"], error["field"]) for error in report["errors"]] == [(2, "passage_id")]
