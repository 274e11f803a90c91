"""Importing a sheet together with the images that it names."""

import tracemalloc
import zipfile
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import func, select

from app.core.errors import Invalid
from app.core.images import UnusableImage
from app.core.storage import Storage
from app.models import Institute, Media
from app.repositories.questions import QuestionFilter
from app.services import questions
from app.services.questions import ImagesZip, media
from app.services.questions import images as images_module
from app.services.questions.images import LIMITS, ImageArchive
from app.services.unit_of_work import UnitOfWork
from app.services.users import Principal, operator
from app.sheets.reports import ImportReport
from app.sheets.writers import SheetFormat
from tests.builders.images import new_image, png_header
from tests.services.questions.zip_files import zipped


@pytest.fixture
async def author(uow: UnitOfWork) -> Principal:
    """An author of an institute whose bank is empty."""
    institute = Institute(slug=uuid4().hex, name="Empty")
    uow.session.add(institute)
    await uow.session.flush()
    return replace(operator(), institute_id=institute.id)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where images are kept."""
    return tmp_path / "media"


@pytest.fixture
def storage(folder: Path) -> Storage:
    return Storage(folder.as_uri())


def sheet(*cells: str) -> bytes:
    """A question for each `image` cell."""
    rows = [f"q{n},Polity,What does map {n} show?,x,y,a,{cell}" for n, cell in enumerate(cells, start=1)]
    return "\n".join(["external_id,subject,question,option_a,option_b,key,image", *rows]).encode()


async def media_of(uow: UnitOfWork, author: Principal, report: ImportReport) -> list[list[str]]:
    assert list(report.errors) == []
    shown = [await questions.find(uow, author, question_id) for question_id in report.item_ids]
    return [one.question.version.media for one in shown]


async def stored(uow: UnitOfWork, author: Principal) -> int:
    statement = select(func.count()).where(Media.institute_id == author.institute_id)
    return int((await uow.session.execute(statement)).scalar_one())


def written(folder: Path) -> bool:
    """Whether the storage was ever used."""
    return folder.exists()


def told(report: ImportReport) -> list[tuple[int, str, str]]:
    return [(error.row, error.field, error.message) for error in report.errors]


def counts(report: ImportReport) -> tuple[int, int, int]:
    assert list(report.errors) == []
    return report.created, report.updated, report.unchanged


class TestFromAZip:
    async def test_questions_show_what_they_name(
        self, uow: UnitOfWork, author: Principal, storage: Storage
    ) -> None:
        one, two = new_image(), new_image("JPEG")
        images = ImagesZip(zipped({"map 1.png": one, "नक्शा.JPG": two}), storage)
        file = sheet("map 1.png; नक्शा.jpg", "", "नक्शा.JPG")
        report = await questions.import_questions(uow, author, file, images=images)
        first, second = [
            str((await media.upload(uow, storage, author, content)).media.id) for content in (one, two)
        ]
        assert await media_of(uow, author, report) == [[first, second], [], [second]]
        assert await stored(uow, author) == 2
        assert not any(warning.field == "images" for warning in report.warnings)

    async def test_again_changes_nothing(self, uow: UnitOfWork, author: Principal, storage: Storage) -> None:
        images = ImagesZip(zipped({"map.jpg": new_image("JPEG")}), storage)
        for expected in ((1, 0, 0), (0, 0, 1)):
            for dry_run in (True, False):
                report = await questions.import_questions(
                    uow, author, sheet("map.jpg"), images=images, dry_run=dry_run
                )
                assert counts(report) == expected
        other = ImagesZip(zipped({"map.jpg": new_image("JPEG")}), storage)
        for dry_run in (True, False):
            report = await questions.import_questions(
                uow, author, sheet("map.jpg"), images=other, dry_run=dry_run
            )
            assert counts(report) == (0, 1, 0)

    async def test_two_names_of_one_picture_are_one_image(
        self, uow: UnitOfWork, author: Principal, storage: Storage
    ) -> None:
        content = new_image()
        images = ImagesZip(zipped({"a.png": content, "b.png": content}), storage)
        report = await questions.import_questions(uow, author, sheet("a.png;b.png"), images=images)
        ((only,),) = await media_of(uow, author, report)
        assert only

    async def test_the_case_of_names_does_not_matter(
        self, uow: UnitOfWork, author: Principal, storage: Storage
    ) -> None:
        images = ImagesZip(zipped({"Map.png": new_image()}), storage)
        report = await questions.import_questions(uow, author, sheet("Map.PNG", "map2.png"), images=images)
        assert told(report) == [(3, "image", 'there is no file "map2.png" in the ZIP')]

    async def test_what_no_row_names_is_one_warning(
        self, uow: UnitOfWork, author: Principal, storage: Storage
    ) -> None:
        names = [f"{number}.png" for number in range(8)]
        images = ImagesZip(
            zipped(dict.fromkeys(names, b"not even an image") | {"x.png": new_image()}), storage
        )
        report = await questions.import_questions(uow, author, sheet("x.png"), images=images)
        assert counts(report) == (1, 0, 0)
        (warning,) = report.warnings
        assert (warning.row, warning.field) == (1, "images")
        assert warning.message.endswith("8 in all: 0.png, 1.png, 2.png, 3.png, 4.png, …")


class TestNothingIsKept:
    async def test_of_a_dry_run(
        self, uow: UnitOfWork, author: Principal, storage: Storage, folder: Path
    ) -> None:
        images = ImagesZip(zipped({"map.png": new_image()}), storage)
        report = await questions.import_questions(uow, author, sheet("map.png"), images=images, dry_run=True)
        assert counts(report) == (1, 0, 0)
        assert await stored(uow, author) == 0
        assert not written(folder)

    @pytest.mark.parametrize("dry_run", [True, False])
    async def test_where_an_image_is_unusable(
        self, uow: UnitOfWork, author: Principal, storage: Storage, folder: Path, *, dry_run: bool
    ) -> None:
        files = {
            "good.png": new_image(),
            "text.png": b"text",
            "bomb.png": png_header(50_000, 50_000),
            "large.png": new_image() + bytes(media.MAX_BYTES),
            "half.png": new_image()[:-40],
        }
        file = sheet("good.png", "text.png", "bomb.png;good.png", "large.png", "half.png", "missing.png")
        report = await questions.import_questions(
            uow, author, file, images=ImagesZip(zipped(files), storage), dry_run=dry_run
        )
        assert [(row, column) for row, column, _ in told(report)] == [(n, "image") for n in range(3, 8)]
        messages = [message for _, _, message in told(report)]
        for message, part in zip(
            messages, ("not a PNG", "million pixels", "5 MB", "damaged", "in the ZIP"), strict=True
        ):
            assert part in message
        assert await stored(uow, author) == 0
        assert not written(folder)

    @pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
    async def test_where_a_packed_file_is_damaged(
        self, uow: UnitOfWork, author: Principal, storage: Storage, method: int
    ) -> None:
        broken = bytearray(zipped({"map.png": new_image()}, method))
        broken[60:90] = bytes(30)
        images = ImagesZip(bytes(broken), storage)
        report = await questions.import_questions(uow, author, sheet("map.png"), images=images)
        assert told(report) == [(2, "image", '"map.png": The file is damaged in the ZIP. Pack it again.')]

    async def test_where_another_cell_is_wrong(
        self, uow: UnitOfWork, author: Principal, storage: Storage, folder: Path
    ) -> None:
        file = sheet("map.png", "map.png").replace(b"q2,", b"q1,")
        images = ImagesZip(zipped({"map.png": new_image()}), storage)
        report = await questions.import_questions(uow, author, file, images=images)
        assert [(row, column) for row, column, _ in told(report)] == [(3, "external_id")]
        assert not written(folder)


class TestWithoutAZip:
    @pytest.mark.parametrize("sheet_format", SheetFormat)
    async def test_an_export_changes_nothing(
        self, uow: UnitOfWork, author: Principal, storage: Storage, sheet_format: SheetFormat
    ) -> None:
        images = ImagesZip(zipped({"a.png": new_image(), "b.png": new_image()}), storage)
        made = await questions.import_questions(uow, author, sheet("b.png;a.png", ""), images=images)
        before = await media_of(uow, author, made)
        export = await questions.export(uow, author, QuestionFilter(), sheet_format)
        with export.file:
            again = await questions.import_questions(uow, author, export.file.read())
        assert counts(again) == (0, 0, 2)
        assert await media_of(uow, author, again) == before

    async def test_a_sheet_without_the_column_leaves_the_images(
        self, uow: UnitOfWork, author: Principal, storage: Storage
    ) -> None:
        images = ImagesZip(zipped({"a.png": new_image()}), storage)
        made = await questions.import_questions(uow, author, sheet("a.png"), images=images)
        before = await media_of(uow, author, made)
        column_gone = b"external_id,subject,question,option_a,option_b,key\nq1,Polity,Reworded?,x,y,a"
        revised = await questions.import_questions(uow, author, column_gone)
        assert counts(revised) == (0, 1, 0)
        assert await media_of(uow, author, revised) == before
        emptied = await questions.import_questions(uow, author, sheet(""))
        assert await media_of(uow, author, emptied) == [[]]

    async def test_an_id_in_any_spelling(self, uow: UnitOfWork, author: Principal, storage: Storage) -> None:
        image = (await media.upload(uow, storage, author, new_image())).media
        report = await questions.import_questions(uow, author, sheet(image.id.hex.upper()))
        assert await media_of(uow, author, report) == [[str(image.id)]]

    async def test_what_is_not_there(self, uow: UnitOfWork, author: Principal, storage: Storage) -> None:
        elsewhere = (await media.upload(uow, storage, operator(), new_image())).media
        report = await questions.import_questions(uow, author, sheet("map.png", str(elsewhere.id)))
        assert told(report) == [
            (2, "image", 'send a ZIP with the image "map.png" too'),
            (3, "image", f'there is no image "{elsewhere.id}"; upload it first'),
        ]


def refusal(content: bytes) -> str:
    with pytest.raises(Invalid) as caught:
        ImageArchive(content)
    (error,) = caught.value.errors
    assert error.field == "images"
    return error.message


class TestImageArchive:
    @pytest.mark.parametrize(
        "name", ["maps/../a.png", "../a.png", "a..png", "..\\a.png", "c:\\a.png", "/a.png"]
    )
    def test_paths_are_refused(self, name: str) -> None:
        assert "without folders" in refusal(zipped({name: b"x"}))

    def test_what_systems_add_does_no_harm(self) -> None:
        names = ["m/", "m/e\u0301.png", "m/B.PNG", "__MACOSX/m/._a.png", "m/.DS_Store", "m/Thumbs.db"]
        archive = ImageArchive(zipped(dict.fromkeys(names, b"x")))
        assert "\u00e9.png" in archive
        assert "m/b.png" in archive
        assert len(archive.others([])) == 2

    def test_utf_8_that_is_not_marked_is_read(self) -> None:
        file = bytearray(zipped({"नदी.png": b"x"}))
        for start, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
            file[file.index(start) + flags + 1] &= ~0x08
        assert "नदी.png" in ImageArchive(bytes(file))

    def test_names_that_would_be_one_are_refused(self) -> None:
        assert "Two of its files" in refusal(zipped({"a.png": b"x", "a.PNG": b"y"}))

    @pytest.mark.parametrize(
        "content",
        [b"", b"question,key\n", zipped({"a.png": b"x"})[:-10]],
        ids=["empty", "a sheet", "cut off"],  # a ZIP knows its time: without names, each process has its own
    )
    def test_what_is_no_zip_is_refused(self, content: bytes) -> None:
        assert "not a ZIP" in refusal(content)

    def test_a_password_is_refused(self) -> None:
        locked = bytearray(zipped({"a.png": b"x"}))
        locked[locked.rindex(b"PK\x01\x02") + 8] |= 1
        assert "password" in refusal(bytes(locked))

    def test_many_files_are_refused(self) -> None:
        assert "2,000" in refusal(zipped({f"{number}.png": b"" for number in range(2_001)}))
        ImageArchive(zipped({f"{number}.png": b"" for number in range(2_000)}))

    def test_bombs_are_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        tight = zipped({"a.png": bytes(2_000_000)}, zipfile.ZIP_DEFLATED)
        assert "tightly" in refusal(tight)
        monkeypatch.setattr(images_module, "LIMITS", replace(LIMITS, unpacked_bytes=1_999_999))
        assert "larger than" in refusal(tight)

    @pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
    def test_unusual_packing_is_refused(self, method: int) -> None:
        assert "unusual" in refusal(zipped({"a.png": b"x"}, method))

    def test_a_file_that_lies_of_its_size_is_not_unpacked_beyond_it(self) -> None:
        bomb = bytearray(zipped({"a.png": bytes(100_000_000)}, zipfile.ZIP_DEFLATED))
        size = bomb.rindex(b"PK\x01\x02") + 24
        bomb[size : size + 4] = (900_000).to_bytes(4, "little")
        archive = ImageArchive(bytes(bomb))
        tracemalloc.start()
        with pytest.raises(UnusableImage, match="damaged"):
            archive.read("a.png")
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 10_000_000
