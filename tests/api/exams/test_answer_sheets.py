"""Answer sheets taken on paper over HTTP: imported, repeated, refused, held until release, and claimed."""

import asyncio
import csv
import io
import zipfile
from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from random import Random

import httpx
import pytest
from openpyxl import load_workbook
from openpyxl.worksheet.worksheet import Worksheet
from sqlalchemy.ext.asyncio import AsyncEngine

from app.api.routing import MAX_FILES
from app.engine.marks import RoundingPolicy, printed
from app.services.unit_of_work import reading, unit_of_work
from app.sheets.header_row import REMARKS
from tests.builders.answer_sheets import bring_sheets, counts, send_sheets, sheet_file
from tests.builders.content import UPSC, PublishedTest, publish_test
from tests.builders.exams import (
    HOUR,
    MINUTE,
    Entrant,
    HeldExam,
    Json,
    body_of,
    hold_exam,
    register,
    take_paper,
)
from tests.builders.people import People, new_email
from tests.builders.workbooks import workbook
from tests.conftest import TestClock

KEYS = (["a"], ["b"], ["c"])


@pytest.fixture
async def made(engine: AsyncEngine) -> PublishedTest:
    """Three questions keyed a, b, c; 2 marks each, -2/3 for a wrong answer."""
    async with unit_of_work(engine) as uow:
        return await publish_test(uow, KEYS)


@pytest.fixture
async def held(author: httpx.AsyncClient, made: PublishedTest, clock: TestClock) -> HeldExam:
    """An exam that opened a minute ago, for an hour."""
    return await hold_exam(author, made, starts_at=clock.now() - MINUTE)


async def scores(engine: AsyncEngine, held: HeldExam, number: int = 0) -> dict[Fraction, int]:
    """The distribution as it is stored."""
    async with reading(engine) as reads:
        return dict(await reads.attempts.histogram(held.papers[number]["id"]))


async def registrations(held: HeldExam) -> dict[str, Json]:
    listed = body_of(await held.staff.get(f"{held.path}/registrations", params={"limit": 100}))
    return {row["roll_number"]: row for row in listed["items"]}


async def merit(held: HeldExam) -> list[tuple[int, str, str]]:
    listed = body_of(await held.staff.get(f"{held.path}/merit-list", params={"limit": 100}))
    return [(row["rank"], row["roll_number"], row["total"]) for row in listed["items"]]


async def me(client: httpx.AsyncClient) -> Json:
    return body_of(await client.get("/auth/me"))


class TestImport:
    async def test_sheets_become_official_attempts(self, held: HeldExam, engine: AsyncEngine) -> None:
        header = ["roll_number", "name", "category", "pwbd", "Q1", "Q2", "Q3"]
        rows = [
            ["A1", "Asha Rao", "OBC", "2", "a", "B", "c"],
            ["A2", "", "", "", "NA", "-", ""],
            ["A3", "", "UR", "NA", "a", "", ""],
        ]
        assert counts(await bring_sheets(held, *rows, header=header)) == (3, 0, 0)
        places = await registrations(held)
        shown = [places["A1"][name] for name in ("name", "category", "pwbd", "user_id")]
        assert shown == ["Asha Rao", "obc", 2, None]
        assert (places["A2"]["name"], places["A2"]["category"]) == ("A2", "general")
        assert (places["A3"]["category"], places["A3"]["pwbd"]) == ("general", None)
        listed = body_of(await held.staff.get(f"{held.path}/attempts"))["items"]
        assert {(row["roll_number"], row["status"]) for row in listed} == {
            ("A1", "submitted"),
            ("A2", "submitted"),
            ("A3", "submitted"),
        }
        assert await scores(engine, held) == {Fraction(6): 1, Fraction(2): 1, Fraction(0): 1}

    async def test_a_second_time_changes_nothing(self, held: HeldExam, engine: AsyncEngine) -> None:
        rows = [["1", "a", "b", "c"], ["2", "b", "NA", "c"]]
        await bring_sheets(held, *rows)
        again = [["2", "B", "", " c"], ["3", "a", "a", "a"], ["1", "a", "b", "c"]]
        assert counts(await bring_sheets(held, *again)) == (1, 0, 2)
        assert sum((await scores(engine, held)).values()) == 3

    async def test_a_dry_run_reports_the_same_and_changes_nothing(
        self, held: HeldExam, engine: AsyncEngine
    ) -> None:
        rows = [["1", "a", "b", "c"], ["2", "b", "b", "b"]]
        tried = await bring_sheets(held, *rows, dry_run="true")
        assert (await registrations(held), await scores(engine, held)) == ({}, {})
        assert tried == await bring_sheets(held, *rows)

    async def test_without_a_roll_number_column_the_row_is_the_number(self, held: HeldExam) -> None:
        await bring_sheets(held, ["a", "b", "c"], ["a", "a", "a"], header=["1", "2", "3"])
        assert set(await registrations(held)) == {"2", "3"}

    async def test_named_columns(self, held: HeldExam) -> None:
        header = ["X2001", "gender", "seat", "X7", "X1"]
        fields = {"roll_number": "seat", "columns": "X2001,X7-X1"}
        report = await bring_sheets(held, ["a", "f", "S-1", "b", "c"], header=header, **fields)
        assert counts(report) == (1, 0, 0)
        assert set(await registrations(held)) == {"S-1"}

    async def test_a_workbook(self, held: HeldExam, engine: AsyncEngine) -> None:
        file = workbook(("roll_number", "Q1", "Q2", "Q3"), (1001, "a", "b"), (1002, "A,B", None, "c"))
        report = body_of(await send_sheets(held.staff, held, file))
        assert counts(report) == (2, 0, 0)
        assert set(await registrations(held)) == {"1001", "1002"}
        assert await scores(engine, held) == {Fraction(4): 1, Fraction(4, 3): 1}

    async def test_other_types_of_questions(
        self, author: httpx.AsyncClient, engine: AsyncEngine, clock: TestClock
    ) -> None:
        async with unit_of_work(engine) as uow:
            made = await publish_test(
                uow, [{"value": "2.5", "tolerance": "0.5"}, ["true"]], type="true_false"
            )
        held = await hold_exam(author, made, starts_at=clock.now() - MINUTE)
        assert counts(await bring_sheets(held, ["1", "3", "T"], ["2", "3.1", "TF"])) == (2, 0, 0)
        assert await scores(engine, held) == {Fraction(4): 1, Fraction(-4, 3): 1}

    async def test_it_is_written_down(self, held: HeldExam) -> None:
        await bring_sheets(held, ["1", "a", "b", "c"])
        entry = body_of(await held.staff.get(f"{held.path}/audit"))["items"][0]
        assert entry["action"] == "import_answer_sheets"
        assert entry["details"] == {"paper": "GS1", "created": 1, "updated": 0, "unchanged": 0}

    async def test_proctors_may_and_candidates_may_not(
        self, people: People, candidate: httpx.AsyncClient, held: HeldExam
    ) -> None:
        file = sheet_file(["1", "a", "b", "c"])
        assert (await send_sheets(candidate, held, file)).status_code == 403
        assert (await send_sheets(await people.member("proctor"), held, file)).status_code == 200


class TestMistakes:
    async def test_one_wrong_row_and_nothing_is_imported(self, held: HeldExam) -> None:
        mistakes = [
            ("roll_number Q1 Q2 Q3", "1 e b c", "Q1", 'There is no option "e"'),
            ("roll_number Q1 Q2 Q3", "1 a bb c", "Q2", "Name each option only once."),
            ("roll_number Q1 Q2 Q3", "1 a b", "file", "the row has 3 cells, and the header 4"),
            ("roll_number Q1 Q2 Q3", "1 a b c d", "column E", "there is no header above this cell"),
            ("roll_number Q1 Q2 Q3", "NA a b c", "roll_number", "the roll number is missing"),
            ("roll_number Q1 Q2 Q3", "0 a b d", "roll_number", "row 2 has another sheet of 0: 1 answer"),
            ("roll_number Q1 Q2 Q3 category", "1 a b c rich", "category", "write one of: general, ews"),
            ("roll_number Q1 Q2 Q3 pwbd", "1 a b c 6", "pwbd", "1 to 5"),
            ("roll_number Q1 Q2 Q3 email", "1 a b c nobody", "email", "not an e-mail address such as"),
            ("roll_number Q1 Q2 Q3 email", "1 a b c x@example.org", "email", "row 2 has this one too"),
        ]
        for header, row, field, sentence in mistakes:
            names = header.split()
            good = ["0", "a", "b", "c", *{"category": ["sc"], "email": ["X@example.org"]}.get(names[-1], [])]
            report = await bring_sheets(held, [*good, ""][: len(names)], row.split(), header=names)
            assert report["created"] == 0, row
            assert [(error["row"], error["field"]) for error in report["errors"]] == [(3, field)], row
            assert sentence in report["errors"][0]["message"]
            assert await registrations(held) == {}, row

    async def test_all_of_them_are_told_up_to_a_thousand(self, held: HeldExam) -> None:
        rows = [[f"12?{number}", "x", "a", "a"] for number in range(1_200)]
        errors = (await bring_sheets(held, *rows))["errors"]
        assert (
            'There is no option "x". The question has: a, b, c, d. The same in 1199' in errors[0]["message"]
        )
        assert len(errors) == 1001
        assert errors[-1]["message"] == "there are 201 more errors after these"

    async def test_other_answers_of_the_same_candidate(self, held: HeldExam) -> None:
        await bring_sheets(held, ["1", "a", "b", "c"])
        report = await bring_sheets(held, ["2", "a", "a", "a"], ["1", "a", "b", "d"])
        (error,) = report["errors"]
        assert (error["row"], error["field"]) == (3, "roll_number")
        assert "another sheet of this roll number was imported, with other answers" in error["message"]
        assert set(await registrations(held)) == {"1"}

    async def test_what_is_no_sheet_is_a_422(self, held: HeldExam) -> None:
        for file in (b"", b"\xff\xfea", "Grüße".encode("latin-1"), b"PK\x03\x04", b"\n\n"):
            answer = await send_sheets(held.staff, held, file)
            assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "file"), file

    async def test_a_formula(self, held: HeldExam) -> None:
        file = workbook(("roll_number", "Q1", "Q2", "Q3"), ("1", "a", '="b"', "c"))
        (error,) = body_of(await send_sheets(held.staff, held, file))["errors"]
        assert (error["row"], error["field"]) == (2, "Q2")
        assert "formula" in error["message"]

    async def test_a_draft_a_paper_to_come_and_what_is_over(
        self, author: httpx.AsyncClient, made: PublishedTest, engine: AsyncEngine, clock: TestClock
    ) -> None:
        file = sheet_file(["1", "a", "b", "c"])
        held = await hold_exam(author, made, starts_at=clock.now() + MINUTE, publish=False)
        refused = [await send_sheets(author, held, file)]
        body_of(await author.post(f"{held.path}/publish"))
        refused.append(await send_sheets(author, held, file))
        clock.advance(61)
        body_of(await send_sheets(author, held, file))
        await held.release()
        refused.append(await send_sheets(author, held, file))
        async with unit_of_work(engine) as uow:
            other = await publish_test(uow)
        off = await hold_exam(author, other, starts_at=clock.now() - MINUTE)
        body_of(await author.post(f"{off.path}/cancel", json={"reason": "Flood"}))
        refused.append(await send_sheets(author, off, file))
        assert [answer.status_code for answer in refused] == [409] * 4
        for answer, word in zip(refused, ["published", "begun", "released", "cancelled"], strict=True):
            assert word in answer.json()["detail"]

    async def test_another_exams_paper_is_not_found(
        self, author: httpx.AsyncClient, held: HeldExam, clock: TestClock, engine: AsyncEngine
    ) -> None:
        async with unit_of_work(engine) as uow:
            another = await publish_test(uow)
        other = await hold_exam(author, another, starts_at=clock.now())
        mixed = HeldExam(author, held.exam, other.papers)
        answer = await send_sheets(author, mixed, sheet_file(["1", "a", "b", "c"]))
        assert answer.status_code == 404

    async def test_a_header_alone(self, held: HeldExam) -> None:
        report = body_of(await send_sheets(held.staff, held, b"roll_number,Q1,Q2,Q3\n"))
        assert counts(report) == (0, 0, 0)
        assert "no answer sheets" in report["warnings"][0]["message"]


class TestWhatTheFileNeedsToBeTold:
    async def test_parts_in_several_files_and_the_same_again(self, held: HeldExam) -> None:
        first = sheet_file(["1", "a"], ["2", "b"], header=["roll", "q1"])
        second = sheet_file(["2", "b", "c"], ["1", "b", "c"], header=["roll", "q2", "q3"])
        files = [("file", ("1.csv", first)), ("more_files", ("2.csv", second))]
        path = f"{held.paper_path()}/responses/import"
        assert counts(body_of(await held.staff.post(path, files=files), 200)) == (2, 0, 0)
        assert counts(body_of(await held.staff.post(path, files=files), 200)) == (0, 0, 2)

    async def test_a_file_for_each_of_many_rooms(self, held: HeldExam) -> None:
        files = [
            ("more_files" if room else "file", (f"{room}.csv", sheet_file([f"{room}-1", "a", "b", "c"])))
            for room in range(MAX_FILES)
        ]
        path = f"{held.paper_path()}/responses/import"
        assert counts(body_of(await held.staff.post(path, files=files), 200)) == (MAX_FILES, 0, 0)
        refused = await held.staff.post(path, files=[*files, files[-1]])
        assert (refused.status_code, refused.json()["detail"]) == (422, "Send at most 100 files.")

    async def test_several_files_have_a_copy_with_remarks_each(self, held: HeldExam) -> None:
        first = sheet_file(["1", "a"], header=["roll", "q1"])
        second = b"Scanned today,,\n" + sheet_file(["1", "z", "c"], header=["roll", "q2", "q3"])
        files = [("file", ("1.csv", first)), ("more_files", ("2.csv", second))]
        data = {"dry_run": "true", "report": "sheet"}
        answer = await held.staff.post(f"{held.paper_path()}/responses/import", files=files, data=data)
        assert answer.headers["content-type"] == "application/zip", answer.text
        with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
            copies = [load_workbook(io.BytesIO(archive.read(name))) for name in archive.namelist()]
        cells = [copy.worksheets[0]["C1"].value or copy.worksheets[0]["D2"].value for copy in copies]
        assert [str(cell).startswith(REMARKS) for cell in cells] == [True, True]
        assert "is no option" in str(copies[1].worksheets[0]["D3"].value)

    async def test_booklet_series_are_one_cohort(self, held: HeldExam) -> None:
        sheets = sheet_file(
            ["1", "A", "a", "b", "c"], ["2", "B", "c", "a", "b"], header=["roll", "set", *"123"]
        )
        path = f"{held.paper_path()}/responses/import"
        (error,) = body_of(await send_sheets(held.staff, held, sheets), 200)["errors"]
        assert "the booklet series A, B" in error["message"]
        order = sheet_file(["1", "1", "2"], ["2", "2", "3"], ["3", "3", "1"], header=["question", "A", "B"])
        files = [("file", ("sheets.csv", sheets)), ("order", ("order.csv", order))]
        assert counts(body_of(await held.staff.post(path, files=files), 200)) == (2, 0, 0)
        await held.release()
        assert await merit(held) == [(1, "1", "6.00"), (1, "2", "6.00")]

    async def test_roll_numbers_as_a_workbook_shows_them(self, held: HeldExam) -> None:
        def change(sheet: Worksheet) -> None:
            sheet["A2"].number_format = "000000"

        file = workbook(
            ("roll", "q1", "q2", "q3"), (42, "a", "b", "c"), ("000043", "a", "b", "c"), change=change
        )
        assert counts(body_of(await send_sheets(held.staff, held, file), 200)) == (2, 0, 0)
        assert set(await registrations(held)) == {"000042", "000043"}
        digits = workbook(("roll", "q1", "q2", "q3"), (2600000000000017, "a", "b", "c"))
        (error,) = body_of(await send_sheets(held.staff, held, digits), 200)["errors"]
        assert (error["row"], error["field"]) == (2, "roll")

    async def test_words_and_columns(self, held: HeldExam) -> None:
        row = ["X1", "7", "MULT", "2", "0"]
        fields = {
            "mapping": '{"Candidate": "roll_number", "Page": "ignore"}',
            "format": "remark",
            "blank": "0",
            "numbers_from": "1",
        }
        header = ["Candidate", "Page", "q1", "q2", "q3"]
        assert counts(await bring_sheets(held, row, header=header, **fields)) == (1, 0, 0)
        await held.release()
        assert await merit(held) == [(1, "X1", "1.34")]

    async def test_what_cannot_be_meant(self, held: HeldExam) -> None:
        mistakes = [
            ({"mapping": "[]"}, "mapping"),
            ({"mapping": '{"Q1": 1}'}, "mapping"),
            ({"blank": "x,y", "multiple": "Y"}, "multiple"),
            ({"numbers_from": "2"}, "numbers_from"),
            ({"format": "another"}, "format"),
        ]
        for fields, field in mistakes:
            answer = await send_sheets(held.staff, held, sheet_file(["1", "a", "b", "c"]), **fields)
            assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field), fields

    async def test_an_order_that_is_none(self, held: HeldExam) -> None:
        for order in (b"", b"x,y\n", b"PK\x03\x04", b"question,A\n1,1\n"):
            files = [("file", ("1.csv", sheet_file(["1", "a", "b", "c"]))), ("order", ("order.csv", order))]
            answer = await held.staff.post(f"{held.paper_path()}/responses/import", files=files)
            assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "order"), order


class TestCandidatesWithAccounts:
    async def test_a_roll_number_of_an_account(self, candidate: httpx.AsyncClient, held: HeldExam) -> None:
        place = body_of(await candidate.post(f"{held.path}/register"))
        report = await bring_sheets(
            held,
            [place["roll_number"], "a", "b", "c", "st"],
            header=["roll_number", "1", "2", "3", "category"],
        )
        assert counts(report) == (1, 0, 0)
        (warning,) = report["warnings"]
        assert (warning["field"], warning["message"]) == (
            "category",
            'the registration says "general", which stands',
        )
        (attempt,) = body_of(await candidate.get("/users/attempts"))["items"]
        assert (attempt["status"], attempt["exam_paper_id"]) == ("submitted", held.papers[0]["id"])
        refused = await Entrant(candidate, held).enter()
        assert (refused.status_code, refused.json()["code"]) == (409, "attempts_exhausted")

    async def test_an_address_gives_the_place_to_its_account(self, people: People, held: HeldExam) -> None:
        candidate = await people.candidate()
        email = (await me(candidate))["email"]
        header = ["roll_number", "email", "Q1", "Q2", "Q3"]
        nobody = new_email()
        rows = [["P1", email.upper(), "a", "b", "c"], ["P2", nobody, "a", "a", "a"]]
        report = await bring_sheets(held, *rows, header=header)
        assert counts(report) == (2, 0, 0)
        assert [(w["row"], w["field"]) for w in report["warnings"]] == [(3, "email")]
        assert len(body_of(await candidate.get("/users/attempts"))["items"]) == 1
        assert body_of(await candidate.get(held.path))["my_registration"]["roll_number"] == "P1"

    async def test_an_address_that_comes_later_links_the_sheet_that_is_there(
        self, people: People, held: HeldExam
    ) -> None:
        candidate = await people.candidate()
        header = ["roll_number", "email", "Q1", "Q2", "Q3"]
        await bring_sheets(held, ["P1", "", "a", "b", "c"], header=header)
        row = ["P1", (await me(candidate))["email"], "a", "b", "c"]
        assert counts(await bring_sheets(held, row, header=header, dry_run="true")) == (0, 1, 0)
        assert counts(await bring_sheets(held, row, header=header)) == (0, 1, 0)
        assert counts(await bring_sheets(held, row, header=header)) == (0, 0, 1)
        assert len(body_of(await candidate.get("/users/attempts"))["items"]) == 1

    async def test_addresses_that_do_not_fit(
        self, people: People, candidate: httpx.AsyncClient, held: HeldExam
    ) -> None:
        other = await people.candidate()
        for client in (candidate, other):
            body_of(await client.post(f"{held.path}/register"))
        places = [
            body_of(await c.get(held.path))["my_registration"]["roll_number"] for c in (candidate, other)
        ]
        emails = [(await me(client))["email"] for client in (candidate, other, held.staff)]
        rows = [["P1", emails[0]], [places[0], emails[1]], ["P3", emails[2]]]
        header = ["roll_number", "email", "Q1", "Q2", "Q3"]
        sheets = ([*row, "a", "b", "c"] for row in rows)
        report = await bring_sheets(held, *sheets, header=header, unknown_roll_numbers="accept")
        said = [(error["row"], error["message"]) for error in report["errors"]]
        assert [row for row, _ in said] == [2, 3, 4]
        assert f"registered as {places[0]}" in said[0][1]
        assert "another account" in said[1][1]
        assert "staff" in said[2][1]

    async def test_who_sat_online(self, people: People, held: HeldExam) -> None:
        sitting, over = await people.candidate(), await people.candidate()
        body_of(await (await register(sitting, held)).enter())
        await take_paper(over, held, {0: ["a"], 1: ["b"]})
        rolls = [body_of(await c.get(held.path))["my_registration"]["roll_number"] for c in (sitting, over)]
        report = await bring_sheets(held, [rolls[0], "NA", "NA", "NA"], [rolls[1], "a", "b", "c"])
        assert ["sitting the paper online" in error["message"] for error in report["errors"]] == [True, False]
        assert "has sat the paper online" in report["errors"][1]["message"]
        assert counts(await bring_sheets(held, [rolls[1], "a", "b", "NA"])) == (0, 0, 1)


class TestVoidSheets:
    async def test_the_right_sheet_instead_of_a_void_one(self, held: HeldExam, engine: AsyncEngine) -> None:
        await bring_sheets(held, ["1", "a", "b", "d"])
        (attempt,) = body_of(await held.staff.get(f"{held.path}/attempts"))["items"]
        body_of(await held.order("void", attempt, reason="Two sheets were swapped"))
        assert await scores(engine, held) == {}
        same = await bring_sheets(held, ["1", "a", "b", "d"])
        assert (counts(same), len(same["warnings"])) == ((0, 0, 1), 1)
        assert counts(await bring_sheets(held, ["1", "a", "NA", "c"])) == (0, 1, 0)
        assert counts(await bring_sheets(held, ["1", "a", "NA", "c"])) == (0, 0, 1)
        assert await scores(engine, held) == {Fraction(4): 1}
        await held.release()
        assert await merit(held) == [(1, "1", "4.00")]


class TestAtTheSameMoment:
    async def test_two_imports(self, held: HeldExam, engine: AsyncEngine) -> None:
        rows = [[str(number), "a", "abcd"[number % 4], "NA"] for number in range(40)]
        reports = await asyncio.gather(*(bring_sheets(held, *rows) for _ in range(3)))
        assert sorted(counts(report) for report in reports) == [(0, 0, 40), (0, 0, 40), (40, 0, 0)]
        assert sum((await scores(engine, held)).values()) == 40

    async def test_a_sheet_and_a_start(self, people: People, held: HeldExam) -> None:
        """One of the two is first, and the other one is told; never are there two attempts."""
        for _ in range(3):
            candidate = await people.candidate()
            entrant = await register(candidate, held)
            roll = body_of(await candidate.get(held.path))["my_registration"]["roll_number"]
            started, report = await asyncio.gather(entrant.enter(), bring_sheets(held, [roll, "a", "b", "c"]))
            assert started.is_success == bool(report["errors"])
            if started.is_success:
                body_of(await entrant.submit())
            assert len(body_of(await candidate.get("/users/attempts"))["items"]) == 1

    async def test_a_sheet_and_a_claim(self, candidate: httpx.AsyncClient, held: HeldExam) -> None:
        await bring_sheets(held, ["7", "a", "b", "c"])
        user_id = (await me(candidate))["id"]
        claimed, report = await asyncio.gather(
            held.staff.post(f"{held.path}/registrations/7/claim", json={"user_id": user_id}),
            bring_sheets(held, ["7", "a", "b", "c"], ["8", "a", "b", "c"]),
        )
        assert claimed.is_success
        assert counts(report) == (1, 0, 1)
        assert len(body_of(await candidate.get("/users/attempts"))["items"]) == 1


class TestEmbargo:
    async def test_no_score_is_anywhere_before_the_release(
        self, candidate: httpx.AsyncClient, held: HeldExam, made: PublishedTest
    ) -> None:
        place = body_of(await candidate.post(f"{held.path}/register"))
        await bring_sheets(held, [place["roll_number"], "a", "b", "d"])
        (attempt,) = body_of(await candidate.get("/users/attempts"))["items"]
        assert (attempt["status"], attempt["score"]) == ("submitted", None)
        assert (await candidate.get(f"{made.path}/results")).status_code == 404
        hidden = [
            await candidate.get(f"{held.path}/results"),
            await held.staff.get(f"{held.path}/merit-list"),
        ]
        assert [answer.json()["code"] for answer in hidden] == ["results_not_released"] * 2
        progress = body_of(await candidate.get("/users/progress"))
        assert (progress["attempts"], progress["tests_taken"]) == (0, 0)

    async def test_reports_do_not_depend_on_the_key(
        self, author: httpx.AsyncClient, engine: AsyncEngine, clock: TestClock
    ) -> None:
        reports = []
        for keys in (KEYS, (["d"], ["d"], ["d"])):
            async with unit_of_work(engine) as uow:
                made = await publish_test(uow, keys)
            held = await hold_exam(author, made, starts_at=clock.now() - MINUTE)
            first = await bring_sheets(held, ["1", "a", "b", "d"], ["2", "d", "d", "d"])
            reports.append([first, await bring_sheets(held, ["1", "a", "b", "d"], ["3", "x", "b", "c"])])
        assert reports[0] == reports[1]


class TestRelease:
    async def test_paper_and_online_are_ranked_together(self, people: People, held: HeldExam) -> None:
        online = await people.candidate()
        await take_paper(online, held, {0: ["a"], 1: ["b"]})
        roll = body_of(await online.get(held.path))["my_registration"]["roll_number"]
        rows = [["P1", "a", "b", "c"], ["P2", "a", "b", "NA"], ["P3", "d", "d", "d"]]
        await bring_sheets(held, *rows, unknown_roll_numbers="accept")
        released = await held.release()
        assert released["participants"] == 4
        expected = [(1, "P1", "6.00"), *sorted([(2, "P2", "4.00"), (2, roll, "4.00")]), (4, "P3", "-2.00")]
        assert await merit(held) == expected
        result = body_of(await online.get(f"{held.path}/results"))
        assert (result["rank"], result["participants"]) == (2, 4)

    async def test_a_claim_before_the_release(
        self, candidate: httpx.AsyncClient, held: HeldExam, made: PublishedTest
    ) -> None:
        await bring_sheets(held, ["P1", "a", "b", "d"], ["P2", "a", "b", "c"])
        await self.claim(held, candidate, "P1")
        (attempt,) = body_of(await candidate.get("/users/attempts"))["items"]
        assert (attempt["status"], attempt["exam_paper_id"]) == ("submitted", held.papers[0]["id"])
        await held.release()
        await self.sees_the_result(candidate, held, made)

    async def test_a_claim_of_a_roll_number_with_slashes(
        self, candidate: httpx.AsyncClient, held: HeldExam
    ) -> None:
        await bring_sheets(held, ["UPSC/26/0017", "a", "b", "d"])
        await self.claim(held, candidate, "UPSC/26/0017")
        assert body_of(await candidate.get(held.path))["my_registration"]["roll_number"] == "UPSC/26/0017"

    async def test_a_claim_after_the_release_and_after_practice(
        self, candidate: httpx.AsyncClient, held: HeldExam, made: PublishedTest
    ) -> None:
        await bring_sheets(held, ["P1", "a", "b", "d"], ["P2", "a", "b", "c"])
        await held.release()
        practice = Entrant(candidate, held)
        body_of(await practice.enter())
        await practice.submit()
        await self.claim(held, candidate, "P1")
        assert len(body_of(await candidate.get("/users/attempts"))["items"]) == 2
        await self.sees_the_result(candidate, held, made)

    async def claim(self, held: HeldExam, candidate: httpx.AsyncClient, roll_number: str) -> None:
        path = f"{held.path}/registrations/{roll_number}/claim"
        body_of(await held.staff.post(path, json={"user_id": (await me(candidate))["id"]}))

    async def sees_the_result(
        self, candidate: httpx.AsyncClient, held: HeldExam, made: PublishedTest
    ) -> None:
        result = body_of(await candidate.get(f"{held.path}/results"))
        assert (result["roll_number"], result["rank"], result["total"]) == ("P1", 2, "3.34")
        attempts = body_of(await candidate.get("/users/attempts"))["items"]
        official = next(row for row in attempts if not row["practice"])
        assert (official["status"], official["score"]) == ("graded", "3.34")
        path = f"{made.path}/results"
        by_question = body_of(await candidate.get(path, params={"attempt_id": official["id"]}))
        assert [row["outcome"] for row in by_question["questions"]] == ["correct", "correct", "incorrect"]


def reference(keys: Sequence[int], sheets: Sequence[Sequence[int]], *, partial: bool) -> Counter[Fraction]:
    """The distribution, computed with bits and whole sixtieths of a mark: nothing is shared with our engine.

    2 for the exact set, -2/3 for another one, 0 for a blank; with `partial`, 2 * part for a part of the set.
    """

    def sixtieths(key: int, marked: int) -> int:
        if not marked or marked == key:
            return 120 if marked else 0
        is_part = partial and not marked & ~key
        return 120 * marked.bit_count() // key.bit_count() if is_part else -40

    return Counter(Fraction(sum(map(sixtieths, keys, sheet)), 60) for sheet in sheets)


def letters(bits: int) -> str:
    return "".join(letter for position, letter in enumerate("abcd") if bits >> position & 1)


class TestDistribution:
    @pytest.mark.parametrize("partial", [False, True])
    async def test_it_equals_one_computed_apart(
        self, author: httpx.AsyncClient, engine: AsyncEngine, clock: TestClock, *, partial: bool
    ) -> None:
        random = Random(2026)
        keys = [random.randint(1, 15) for _ in range(40)]
        # More than one batch, the last not full.
        sheets = [[random.choice([key, random.randint(0, 15)]) for key in keys] for _ in range(257)]
        marking = UPSC | {"partial": "proportional" if partial else "none", "rounding": "half_up"}
        async with unit_of_work(engine) as uow:
            made = await publish_test(
                uow, [list(letters(key)) for key in keys], type="multiple_choice", marking=marking
            )
        held = await hold_exam(author, made, starts_at=clock.now() - HOUR, window=HOUR + MINUTE)
        rows = [
            [f"R{number}", *(letters(marked).upper() or "NA" for marked in sheet)]
            for number, sheet in enumerate(sheets)
        ]
        assert counts(await bring_sheets(held, *rows)) == (257, 0, 0)
        expected = reference(keys, sheets, partial=partial)
        assert await scores(engine, held) == expected
        await held.release()
        sheet = body_of_sheet(await held.staff.get(f"{held.path}/merit-list", params={"format": "csv"}))
        assert Counter(row["total"] for row in sheet) == Counter(
            {printed(score, Fraction(1), RoundingPolicy.HALF_UP): count for score, count in expected.items()}
        )
        assert [int(row["rank"]) for row in sheet] == [
            1 + sum(count for other, count in expected.items() if other > score)
            for score in sorted(expected.elements(), reverse=True)
        ]


def body_of_sheet(answer: httpx.Response) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))


def test_the_reference_is_right_by_hand() -> None:
    """To the key bd: b is half of it, c is wrong, bd is right."""
    sheets = [[0b0010], [0b0100], [0b1010], [0]]
    assert reference([0b1010], sheets, partial=True) == Counter(map(Fraction, ("1", "-2/3", "2", "0")))
    assert reference([0b1010], sheets[:1], partial=False) == {Fraction(-2, 3): 1}
