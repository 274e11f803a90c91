"""Response sheets of a registered candidate, for staff after the exam."""

from io import BytesIO

import httpx
from pypdf import PdfReader

from tests.builders.exams import HeldExam, body_of, register, take_paper
from tests.builders.people import People
from tests.conftest import TestClock


async def sheets(held: HeldExam, client: httpx.AsyncClient) -> httpx.Response:
    number = body_of(await client.get(held.path))["my_registration"]["roll_number"]
    return await held.staff.get(f"{held.path}/registrations/{number}/response-sheet")


async def test_they_have_the_answers_that_stand_once_the_papers_are_over(
    people: People, candidate: httpx.AsyncClient, held: HeldExam, clock: TestClock
) -> None:
    await take_paper(candidate, held, {0: ["a"], 2: ["b"]})
    absent = await people.candidate()
    await register(absent, held)
    early = await sheets(held, candidate)
    assert (early.status_code, early.json()["code"]) == (409, "not_possible")
    body_of(await held.staff.post(f"{held.paper_path()}/close"))
    [paper] = body_of(await sheets(held, candidate))["papers"]
    assert [question["answer"] for question in paper["questions"]] == [["a"], None, ["b"]]
    assert (paper["code"], paper["answered"]) == ("GS1", 2)
    assert not {"key", "marks", "outcome", "score"} & {*paper, *paper["questions"][0]}
    assert body_of(await sheets(held, absent))["papers"] == []


async def test_candidates_and_unknown_roll_numbers(candidate: httpx.AsyncClient, held: HeldExam) -> None:
    path = f"{held.path}/registrations/nobody/response-sheet"
    assert (await candidate.get(path)).status_code == 403
    assert (await held.staff.get(path)).status_code == 404


async def test_as_pdf(people: People, held: HeldExam) -> None:
    candidate = await people.candidate(name="#panic() राधा")
    await take_paper(candidate, held, {0: ["a"], 2: ["b"]})
    number = body_of(await candidate.get(held.path))["my_registration"]["roll_number"]
    path, wanted = f"{held.path}/registrations/{number}/response-sheet", {"format": "pdf", "language": "en"}
    assert (await held.staff.get(path, params=wanted)).status_code == 409
    body_of(await held.staff.post(f"{held.paper_path()}/close"))
    answer = await held.staff.get(path, params=wanted)
    assert answer.headers["Content-Type"] == "application/pdf"
    shown = " ".join(
        " ".join(page.extract_text() for page in PdfReader(BytesIO(answer.content)).pages).split()
    )
    for words in (
        "#panic()",
        number,
        "GS1",
        "Answered 2 / 3",
        "1 A 0",
        "2 – 0 0:00 –",
        "3 B 0",
        "Starts and",
    ):
        assert words in shown, words
