"""Result sheets, certificates and merit lists as PDF, and many of them as a ZIP file."""

import asyncio
import io
import re
import zipfile
from typing import Any
from uuid import UUID

import httpx
import pytest
from pypdf import PdfReader
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.core.errors import NotFound
from app.models import AuditEntry
from app.services import result_documents
from app.services.components import Components
from app.services.result_documents import building
from app.services.result_documents.batches import print_batch
from app.services.result_documents.files import key_of_part
from app.services.unit_of_work import reading, unit_of_work
from tests.builders.accounts import DAY, Worker
from tests.builders.attempts import take_test
from tests.builders.content import PublishedTest, publish_test
from tests.builders.exams import HeldExam, Json, body_of, register, take_paper
from tests.builders.key_revisions import revise
from tests.builders.people import People, user_id_of
from tests.builders.prelims import RIGHT, prelims
from tests.conftest import TestClock

__all__ = ["prelims"]

HOSTILE = '#panic() *b* $x$ @y <z> "q" \\'
"""What Typst would run or format, if a name were markup."""


def text_of(content: bytes) -> str:
    """The text of a PDF, with single spaces."""
    pages = PdfReader(io.BytesIO(content)).pages
    return " ".join(" ".join(page.extract_text() for page in pages).split())


async def pdf(client: httpx.AsyncClient, path: str, **params: Any) -> str:
    answer = await client.get(path, params=params)
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"] == "application/pdf"
    assert answer.headers["Cache-Control"] == "private, no-store"
    return text_of(answer.content)


async def status_of(client: httpx.AsyncClient, path: str, **params: Any) -> tuple[int, str]:
    answer = await client.get(path, params=params)
    return answer.status_code, answer.json()["code"]


NEXT_RELEASE = text("insert into ias.exam_releases (exam_id, version, participants) values (:id, 2, 1)")
NEXT_RESULTS = text(
    """
    insert into ias.exam_results (exam_id, version, registration_id, roll_number, outcome, total, qualified,
      rank, percentile, category_rank, cutoff, papers)
    select exam_id, 2, registration_id, roll_number, outcome, '4.00', qualified,
      rank, percentile, category_rank, cutoff, papers
    from ias.exam_results where exam_id = :id and version = 1
    """
)


class Candidates:
    """One ranked candidate, one who failed the qualifying paper, and one who was absent."""

    def __init__(
        self, ranked: httpx.AsyncClient, failed: httpx.AsyncClient, absent: httpx.AsyncClient
    ) -> None:
        self.ranked, self.failed, self.absent = ranked, failed, absent

    @classmethod
    async def sit(cls, people: People, held: HeldExam) -> "Candidates":
        ranked, failed, absent = [
            await people.candidate(name=name) for name in (HOSTILE, "राधा त्रिपाठी", "Absent")
        ]
        for client, csat in ((ranked, RIGHT), (failed, {0: ["b"]})):
            await take_paper(client, held, RIGHT)
            await take_paper(client, held, csat, 1)
        await register(absent, held)
        return cls(ranked, failed, absent)


async def roll_number(client: httpx.AsyncClient, held: HeldExam) -> str:
    return str(body_of(await client.get(held.path))["my_registration"]["roll_number"])


@pytest.fixture
async def worker(parts: Components, engine: AsyncEngine, clock: TestClock) -> Worker:
    return Worker(parts, engine, clock)


class TestOne:
    async def test_sheet_and_certificate(
        self, people: People, prelims: HeldExam, engine: AsyncEngine
    ) -> None:
        each = await Candidates.sit(people, prelims)
        sheet, certificate = f"{prelims.path}/result-sheet", f"{prelims.path}/certificate"
        number = await roll_number(each.ranked, prelims)
        for path in (sheet, certificate):
            assert await status_of(each.ranked, path) == (409, "results_not_released")
            assert await status_of(prelims.staff, path, roll_number=number) == (409, "results_not_released")
        await prelims.release()

        shown = await pdf(each.ranked, sheet, language="en")
        for words in (
            HOSTILE,
            number,
            "General",
            "6.00",
            "of 6.00",
            "of 1",
            "100.0000000",
            "qualified",
            "3.00 (General): cleared",
            "version 1",
            "at or below",
            "All-India mock",
        ):
            assert words in shown, words
        failed = await pdf(each.failed, sheet)
        assert "not qualified" in failed
        assert "Rank in category" not in failed
        absent = await pdf(each.absent, sheet, language="en")
        assert "not taken" in absent

        # Staff read those of others, and this is recorded. Candidates do not.
        by_staff = await pdf(prelims.staff, sheet, roll_number=number, language="en")
        assert HOSTILE in by_staff
        assert await status_of(each.failed, sheet, roll_number=number) == (403, "forbidden")
        assert await status_of(prelims.staff, sheet, roll_number="nobody") == (404, "not_found")
        assert await status_of(prelims.staff, sheet) == (404, "not_found")
        stranger = await people.candidate()
        assert await status_of(stranger, sheet) == (404, "not_found")
        async with reading(engine) as reads:
            statement = select(AuditEntry).where(AuditEntry.action == "read_result_sheet")
            entries = (await reads.session.scalars(statement)).all()
        mine = [entry for entry in entries if str(entry.exam_id) == prelims.exam["id"]]
        assert [entry.details["roll_number"] for entry in mine] == [number]

    async def test_who_gets_a_certificate(self, people: People, prelims: HeldExam) -> None:
        each = await Candidates.sit(people, prelims)
        registration = f"{prelims.path}/registrations/{await roll_number(each.failed, prelims)}"
        change = {"name": "Asha 𓀀", "reason": "As on the identity card."}
        body_of(await prelims.staff.patch(registration, json=change))
        await prelims.release()
        path = f"{prelims.path}/certificate"
        expected = {
            "none": [404, 404, 404],
            "ranked": [200, 404, 404],
            "qualified": [200, 404, 404],
            "all": [200, 409, 404],
        }
        for setting, statuses in expected.items():
            changed = body_of(await prelims.staff.patch(prelims.path, json={"certificates": setting}))
            assert changed["certificates"] == setting
            clients = (each.ranked, each.failed, each.absent)
            assert [(await client.get(path)).status_code for client in clients] == statuses
        # A name that cannot be printed is named, and may be corrected. Each script of India prints.
        whole = {"format": "pdf", "include": "all"}
        for refused in (
            await each.failed.get(path),
            await prelims.staff.get(f"{prelims.path}/merit-list", params=whole),
            await prelims.staff.post(f"{prelims.path}/result-sheets", json={"kind": "certificates"}),
        ):
            assert (refused.status_code, refused.json()["code"]) == (409, "not_possible")
            assert '"𓀀" (U+13000) in "Asha 𓀀' in refused.json()["detail"]
        late = await prelims.staff.patch(registration, json=change | {"category": "obc"})
        assert late.status_code == 409
        body_of(await prelims.staff.patch(registration, json=change | {"name": "மீனா ரவி"}))
        assert (await prelims.staff.patch(registration, json=change)).status_code == 409
        ranked, failed = await pdf(each.ranked, path), await pdf(each.failed, path, language="en")
        assert "rank 1 among 1 candidates" in ranked
        assert HOSTILE in ranked
        assert "Certificate of participation" in failed
        # Nothing else changes after the release.
        refused = await prelims.staff.patch(
            prelims.path, json={"certificates": "all", "cutoffs": {"general": "1.00"}}
        )
        assert refused.status_code == 409

    async def test_of_a_test(self, candidate: httpx.AsyncClient, made: PublishedTest) -> None:
        path = f"/tests/{made.id}/result-sheet"
        assert (await candidate.get(path)).status_code == 404
        result = await take_test(candidate, made, {0: ["a"], 1: ["a"]})
        shown = await pdf(candidate, path, attempt_id=result["attempt"]["id"], language="en")
        for words in (
            result["score"],
            f"of {result['max_score']}",
            "version 1 of the answer key",
            "changes as",
        ):
            assert words in shown, words
        hindi = await pdf(candidate, path, language="hi")
        assert "Result sheet" not in hindi
        assert re.search("[\u0900-\u097f]{3}", hindi)

    async def test_of_a_test_whose_key_was_revised(
        self, people: People, author: httpx.AsyncClient, parts: Components, engine: AsyncEngine
    ) -> None:
        async with unit_of_work(engine) as uow:
            made = await publish_test(uow, created_by=await user_id_of(author))
        first, second = await people.candidate(), await people.candidate()
        attempt = (await take_test(first, made, {0: ["a"]}))["attempt"]
        await take_test(second, made, {0: ["b"]})
        before = re.search(
            r"Digest ([A-Z2-7-]{23})", await pdf(first, f"{made.path}/result-sheet", language="en")
        )
        await revise(parts, author, made, (0, ["b"]))
        shown = await pdf(first, f"{made.path}/result-sheet", language="en")
        assert "Marked by version 2 of the answer key" in shown
        assert "marks 2.00, then -0.66; rank 1, then 2" in shown
        assert before is not None
        printed = {"version": 1, "digest": before[1]}
        old = body_of(await author.get(f"/result-sheets/{attempt['id']}", params=printed))
        assert (old["is_genuine"], old["version"], old["current_version"]) == (None, 1, 2)


class TestLookingUp:
    async def test_by_what_stands_on_the_sheet(
        self, people: People, prelims: HeldExam, made: PublishedTest
    ) -> None:
        each = await Candidates.sit(people, prelims)
        await prelims.release()
        shown = await pdf(each.ranked, f"{prelims.path}/result-sheet", language="en")
        found = re.search(r"Document ([0-9a-f-]{36}) Version (\d+) Digest ([A-Z2-7-]{23})", shown)
        assert found is not None, shown
        document, version, digest = found.groups()
        path, printed = f"/result-sheets/{document}", {"version": version, "digest": digest}
        genuine = body_of(await prelims.staff.get(path, params=printed))
        assert genuine["is_genuine"]
        assert (genuine["kind"], genuine["name"], genuine["rank"], genuine["score"]) == (
            "exam",
            HOSTILE,
            1,
            "6.00",
        )
        typed = {"version": version, "digest": digest.lower().replace("-", " ")}
        assert body_of(await prelims.staff.get(path, params=typed))["is_genuine"]
        forged = {"version": version, "digest": digest[:-1] + ("A" if digest[-1] != "A" else "B")}
        assert not body_of(await prelims.staff.get(path, params=forged))["is_genuine"]
        assert await status_of(prelims.staff, path, version=2, digest=digest) == (404, "not_found")
        assert await status_of(each.ranked, path, **printed) == (403, "forbidden")
        evaluator = await people.member("evaluator")
        assert await status_of(evaluator, path, **printed) == (404, "not_found")

    async def test_of_a_test(self, candidate: httpx.AsyncClient, people: People, made: PublishedTest) -> None:
        result = await take_test(candidate, made, {0: ["a"]})
        attempt_id = result["attempt"]["id"]
        shown = await pdf(candidate, f"/tests/{made.id}/result-sheet", language="en")
        found = re.search(r"Digest ([A-Z2-7-]{23})", shown)
        assert found is not None
        evaluator, proctor = await people.member("evaluator"), await people.member("proctor")
        printed = {"version": 1, "digest": found[1]}
        genuine = body_of(await evaluator.get(f"/result-sheets/{attempt_id}", params=printed))
        assert (genuine["kind"], genuine["score"], genuine["is_genuine"]) == ("test", result["score"], True)
        later = {"version": 2, "digest": found[1]}
        assert (await evaluator.get(f"/result-sheets/{attempt_id}", params=later)).status_code == 404
        assert (await proctor.get(f"/result-sheets/{attempt_id}", params=printed)).status_code == 404
        assert (await evaluator.get(f"/result-sheets/{made.id}", params=printed)).status_code == 404


class TestMeritList:
    async def test_as_pdf(self, people: People, prelims: HeldExam) -> None:
        each = await Candidates.sit(people, prelims)
        path = f"{prelims.path}/merit-list"
        assert await status_of(prelims.staff, path, format="pdf") == (409, "results_not_released")
        await prelims.release()
        numbers = [await roll_number(client, prelims) for client in (each.ranked, each.failed, each.absent)]
        ranked = await pdf(prelims.staff, path, format="pdf", language="en")
        assert numbers[0] in ranked
        assert not any(number in ranked for number in numbers[1:])
        for words in (HOSTILE, "Cut-offs: General 3.00 · OBC 2.00", "End of the list: 1 candidates", "1 / 1"):
            assert words in ranked, words
        everybody = await pdf(prelims.staff, path, format="pdf", include="all")
        assert all(number in everybody for number in numbers)
        assert "Merit list / " in everybody
        assert (await each.ranked.get(path, params={"format": "pdf"})).status_code == 403

    async def test_one_that_is_too_long_is_refused(
        self, people: People, prelims: HeldExam, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await Candidates.sit(people, prelims)
        await prelims.release()
        monkeypatch.setattr("app.services.result_documents.merit_lists.MAX_ROWS", 0)
        found = await status_of(prelims.staff, f"{prelims.path}/merit-list", format="pdf")
        assert found == (422, "too_complex")


async def requested(held: HeldExam, kind: str = "result_sheets", **body: Any) -> Json:
    return body_of(await held.staff.post(f"{held.path}/result-sheets", json={"kind": kind, **body}), 202)


class TestMany:
    async def test_a_file_is_made_fetched_once_and_deleted(
        self, people: People, prelims: HeldExam, worker: Worker, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Of three candidates, in parts of two."""
        monkeypatch.setattr(building, "BATCH", 2)
        worker.clock.stop()
        each = await Candidates.sit(people, prelims)
        path = f"{prelims.path}/result-sheets"
        early = await prelims.staff.post(path, json={"kind": "result_sheets"})
        assert (early.status_code, early.json()["code"]) == (409, "results_not_released")
        await prelims.release()

        file = await requested(prelims, language="en")
        assert (file["status"], file["done"], file["total"], file["version"]) == ("waiting", 0, 3, 1)
        assert (await requested(prelims, language="en"))["id"] == file["id"]
        assert (await prelims.staff.get(f"{path}/{file['id']}/file")).status_code == 409
        await worker.do_jobs("make_result_file")
        ready = body_of(await prelims.staff.get(f"{path}/{file['id']}"))
        assert (ready["status"], ready["done"], ready["is_current"]) == ("ready", 3, True)

        answer = await prelims.staff.get(ready["file_url"].removeprefix("/v1"))
        assert len(answer.content) == ready["size_bytes"] == int(answer.headers["Content-Length"])
        archive = zipfile.ZipFile(io.BytesIO(answer.content))
        assert archive.testzip() is None
        clients = (each.ranked, each.failed, each.absent)
        numbers = [await roll_number(client, prelims) for client in clients]
        assert set(archive.namelist()) == {f"result-sheet-{number}.pdf" for number in numbers}
        assert HOSTILE in text_of(archive.read(f"result-sheet-{numbers[0]}.pdf"))
        with worker.clock.moved(15 * 60 + 1):
            assert (await prelims.staff.get(f"{path}/{file['id']}")).status_code == 404
            await result_documents.delete_expired(worker.parts)
            assert (await requested(prelims, language="en"))["id"] != file["id"]

    async def test_a_job_that_is_ended_goes_on_where_it_was(
        self, people: People, prelims: HeldExam, worker: Worker, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(building, "BATCH", 1)
        worker.clock.stop()
        await Candidates.sit(people, prelims)
        await prelims.release()
        file = await requested(prelims)
        made: list[int] = []

        async def fails_second(*arguments: Any, **named: Any) -> Any:
            made.append(len(made))
            if len(made) == 2:
                raise asyncio.CancelledError
            return await print_batch(*arguments, **named)

        monkeypatch.setattr(building, "print_batch", fails_second)
        with pytest.raises(asyncio.CancelledError):
            await worker.do_jobs("make_result_file")
        path = f"{prelims.path}/result-sheets/{file['id']}"
        assert body_of(await prelims.staff.get(path))["done"] == 1
        await worker.do_jobs("make_result_file")
        assert body_of(await prelims.staff.get(path))["status"] == "ready"
        assert len(made) == 4

    async def test_a_job_leaves_the_rest_to_another(
        self, people: People, prelims: HeldExam, worker: Worker, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        worker.clock.stop()
        await Candidates.sit(people, prelims)
        await prelims.release()
        file = await requested(prelims)
        monkeypatch.setattr(building, "MAX_TIME", -DAY)
        await worker.do_jobs("make_result_file")
        path = f"{prelims.path}/result-sheets/{file['id']}"
        assert body_of(await prelims.staff.get(path))["done"] == 0
        monkeypatch.setattr(building, "MAX_TIME", DAY)
        await worker.do_jobs("make_result_file")
        assert body_of(await prelims.staff.get(path))["status"] == "ready"

    async def test_of_some_candidates(self, people: People, prelims: HeldExam, worker: Worker) -> None:
        each = await Candidates.sit(people, prelims)
        await prelims.release()
        path = f"{prelims.path}/result-sheets"
        no_setting = await prelims.staff.post(path, json={"kind": "certificates"})
        assert no_setting.status_code == 409
        body_of(await prelims.staff.patch(prelims.path, json={"certificates": "all"}))
        assert (await requested(prelims, "certificates"))["total"] == 2
        number = await roll_number(each.failed, prelims)
        one = await requested(prelims, "certificates", only={"roll_numbers": [number]})
        await worker.do_jobs("make_result_file")
        answer = await prelims.staff.get(f"{path}/{one['id']}/file")
        assert zipfile.ZipFile(io.BytesIO(answer.content)).namelist() == [f"certificate-{number}.pdf"]
        for only, status in (({"roll_numbers": ["x"]}, 422), ({"categories": ["st"]}, 409)):
            answer = await prelims.staff.post(path, json={"kind": "certificates", "only": only})
            assert answer.status_code == status, answer.text

    async def test_two_calls_at_once_make_one_file(self, people: People, prelims: HeldExam) -> None:
        await Candidates.sit(people, prelims)
        await prelims.release()
        files = await asyncio.gather(requested(prelims), requested(prelims))
        assert files[0]["id"] == files[1]["id"]

    async def test_a_file_keeps_its_version(
        self, people: People, prelims: HeldExam, worker: Worker, engine: AsyncEngine
    ) -> None:
        """The results are revised between the request and the job: by rows, as a revision writes them."""
        each = await Candidates.sit(people, prelims)
        await prelims.release()
        file = await requested(prelims, language="en")
        exam_id = {"id": UUID(prelims.exam["id"])}
        async with engine.begin() as connection:
            await connection.execute(NEXT_RELEASE, exam_id)
            await connection.execute(NEXT_RESULTS, exam_id)
            await connection.execute(text("update ias.exams set results_version = 2 where id = :id"), exam_id)
        await worker.do_jobs("make_result_file")
        path = f"{prelims.path}/result-sheets/{file['id']}"
        ready = body_of(await prelims.staff.get(path))
        assert (ready["status"], ready["version"], ready["is_current"]) == ("ready", 1, False)
        assert (await requested(prelims, language="en"))["id"] != file["id"]
        archive = zipfile.ZipFile(io.BytesIO((await prelims.staff.get(f"{path}/file")).content))
        number = await roll_number(each.ranked, prelims)
        assert "version 1" in text_of(archive.read(f"result-sheet-{number}.pdf"))
        sheet = await pdf(each.ranked, f"{prelims.path}/result-sheet", language="en")
        assert "In version 1: total 6.00, rank 1" in sheet
        assert "4.00 of 6.00" in sheet

    async def test_one_that_expires_while_it_is_made_leaves_nothing(
        self, people: People, prelims: HeldExam, worker: Worker, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        worker.clock.stop()
        await Candidates.sit(people, prelims)
        await prelims.release()
        file = await requested(prelims)

        async def expires_meanwhile(*arguments: Any, **named: Any) -> Any:
            with worker.clock.moved(DAY.total_seconds() + 1):
                await result_documents.delete_expired(worker.parts)
            return await print_batch(*arguments, **named)

        monkeypatch.setattr(building, "print_batch", expires_meanwhile)
        await worker.do_jobs("make_result_file")
        assert (await prelims.staff.get(f"{prelims.path}/result-sheets/{file['id']}")).status_code == 404
        with pytest.raises(NotFound):
            await worker.parts.media.read(key_of_part(UUID(file["id"]), 0))
