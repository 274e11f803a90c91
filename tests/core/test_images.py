"""Images are recognized by their content and encoded anew; what is no harmless image is refused."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as bounded
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from app.core.images import MAX_PIXELS, EncodedImage, UnusableImage, encode_anew
from tests.builders.images import (
    LEFT,
    RIGHT,
    SCRIPT,
    camera_exif,
    decoded,
    encoded,
    halves,
    jpeg_header,
    noise,
    png_header,
    swapped_profile,
    webp_header,
)
from tests.thorough import count

KINDS = ("PNG", "JPEG", "WEBP")
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


def refusal(content: bytes) -> str:
    with pytest.raises(UnusableImage) as raised:
        encode_anew(content)
    return str(raised.value)


def alike(color: Any, other: tuple[int, ...]) -> bool:
    """Equal but for what a lossy format does to colors."""
    return all(abs(one - two) < 12 for one, two in zip(color, other, strict=True))


class TestEncodeAnew:
    @pytest.mark.parametrize("kind", KINDS)
    def test_the_picture_stays(self, kind: str) -> None:
        image = encode_anew(encoded(halves(), kind))
        assert (image.content_type, image.width, image.height) == (f"image/{kind.lower()}", 40, 20)
        shown = decoded(image.content)
        assert (shown.format, shown.size) == (kind, (40, 20))
        assert alike(shown.getpixel((5, 10)), LEFT)
        assert alike(shown.getpixel((34, 10)), RIGHT)

    @pytest.mark.parametrize("kind", KINDS)
    def test_twice_is_the_same(self, kind: str) -> None:
        content = encoded(halves(), kind)
        assert encode_anew(content).sha256 == encode_anew(content).sha256

    def test_a_png_of_ours_comes_back_as_it_is(self) -> None:
        once = encode_anew(encoded(halves()))
        assert encode_anew(once.content) == once

    @pytest.mark.parametrize("kind", KINDS)
    def test_it_says_nothing_about_camera_and_place(self, kind: str) -> None:
        sent = encoded(halves(), kind, exif=camera_exif(), xmp=b"<x:xmpmeta>SecretCamera</x:xmpmeta>")
        assert b"SecretCamera" in sent
        image = encode_anew(sent)
        assert b"SecretCamera" not in image.content
        assert dict(decoded(image.content).getexif()) == {}

    def test_comments_and_text_go_too(self) -> None:
        text = PngImagePlugin.PngInfo()
        text.add_text("Author", "SecretName")
        text.add_itxt("Comment", "SecretName", zip=False)
        for sent in (encoded(halves(), pnginfo=text), encoded(halves(), "JPEG", comment=b"SecretName")):
            assert b"SecretName" in sent
            assert b"SecretName" not in encode_anew(sent).content

    @pytest.mark.parametrize("kind", KINDS)
    def test_it_stands_upright(self, kind: str) -> None:
        """Orientation 6: the camera was held upright, and says so instead of turning the image."""
        image = encode_anew(encoded(halves(), kind, exif=camera_exif(orientation=6)))
        assert (image.width, image.height) == (20, 40)
        shown = decoded(image.content)
        assert alike(shown.getpixel((10, 5)), LEFT)
        assert alike(shown.getpixel((10, 34)), RIGHT)


class TestColors:
    @pytest.mark.parametrize("kind", KINDS)
    def test_a_profile_is_applied_and_removed(self, kind: str) -> None:
        shown = decoded(encode_anew(encoded(halves(), kind, icc_profile=swapped_profile())).content)
        red, _, blue = shown.getpixel((5, 10))  # type: ignore[misc]
        assert blue > 150 > 100 > red
        assert "icc_profile" not in shown.info

    @pytest.mark.parametrize("profile", [b"no profile", swapped_profile()[:200]])
    def test_a_broken_profile_is_ignored(self, profile: bytes) -> None:
        shown = decoded(encode_anew(encoded(halves(), icc_profile=profile)).content)
        assert shown.getpixel((5, 10)) == LEFT

    def test_cmyk_becomes_rgb(self) -> None:
        shown = decoded(encode_anew(encoded(halves("CMYK"), "JPEG")).content)
        assert shown.mode == "RGB"
        assert alike(shown.getpixel((5, 10)), LEFT)

    @pytest.mark.parametrize("kind", ["PNG", "WEBP"])
    def test_transparency_stays(self, kind: str) -> None:
        image = halves("RGBA")
        image.putpixel((0, 0), (0, 0, 0, 0))
        shown = decoded(encode_anew(encoded(image, kind, **_exact(kind))).content)
        assert (shown.mode, shown.getpixel((0, 0))[3], shown.getpixel((5, 10))[3]) == ("RGBA", 0, 255)  # type: ignore[index]

    def test_a_transparent_color_of_a_palette_stays(self) -> None:
        image = Image.new("P", (2, 1))
        image.putpixel((1, 0), 1)
        shown = decoded(encode_anew(encoded(image, transparency=b"\x00\xff")).content)
        assert [shown.getpixel((x, 0))[3] for x in (0, 1)] == [0, 255]  # type: ignore[index]

    @pytest.mark.parametrize(
        ("mode", "white", "dark"), [("1", 255, 0), ("L", 255, 64), ("I;16", 65535, 16448)]
    )
    def test_grey_stays_grey(self, mode: str, white: int, dark: int) -> None:
        image = Image.new(mode, (2, 1), white)
        image.putpixel((1, 0), dark)
        shown = decoded(encode_anew(encoded(image)).content)
        assert (shown.mode, shown.getpixel((0, 0)), shown.getpixel((1, 0))) == (
            "L",
            255,
            0 if mode == "1" else 64,
        )


def _exact(kind: str) -> dict[str, bool]:
    return {"lossless": True} if kind == "WEBP" else {}


class TestRefused:
    @pytest.mark.parametrize(
        "content",
        [
            b"",
            b"GIF89a",
            SVG,
            b"<!doctype html><html>" + SCRIPT,
            b"%PDF-1.7",
            b"\x89PNG",
            encoded(halves(), "GIF"),
            encoded(halves(), "BMP"),
            encoded(halves(), "TIFF"),
        ],
        ids=["nothing", "half a GIF", "SVG", "HTML", "PDF", "half a PNG", "GIF", "BMP", "TIFF"],
    )
    def test_what_is_of_another_kind(self, content: bytes) -> None:
        assert "not a PNG, JPEG or WebP" in refusal(content)

    @pytest.mark.parametrize("kind", KINDS)
    @pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
    def test_what_is_incomplete(self, kind: str, share: float) -> None:
        content = encoded(noise(64), kind)
        assert "damaged" in refusal(content[: int(len(content) * share)])

    @pytest.mark.parametrize("header", [png_header, webp_header, jpeg_header])
    def test_a_bomb_before_it_is_decoded(self, header: Any) -> None:
        """There are no pixels in these files: who reads further than the size calls them damaged."""
        assert "million pixels" in refusal(header(16_000, 16_000))
        assert "million pixels" not in refusal(header(5_000, 8_000))

    @pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
    @pytest.mark.parametrize("header", [png_header, jpeg_header])
    def test_the_limit_is_exact(self, header: Any) -> None:
        assert MAX_PIXELS == 5_000 * 8_000
        assert "million pixels" in refusal(header(5_001, 8_000))
        assert "million pixels" not in refusal(header(5_000, 8_000))

    def test_the_limit_holds_for_whole_files(self) -> None:
        large = encoded(Image.new("L", (5_001, 8_000)), "WEBP", lossless=True, method=0)
        assert "million pixels" in refusal(large)

    @pytest.mark.parametrize("kind", ["PNG", "WEBP"])
    def test_what_moves(self, kind: str) -> None:
        frames = encoded(halves(), kind, save_all=True, append_images=[Image.new("RGB", (40, 20))])
        assert "Animated" in refusal(frames)

    def test_of_several_pictures_in_one_jpeg_the_first_is_taken(self) -> None:
        """Telephones write these: an image, and its depth or a preview."""
        pair = encoded(halves(), "MPO", save_all=True, append_images=[Image.new("RGB", (8, 8))])
        image = encode_anew(pair)
        assert (image.content_type, image.width) == ("image/jpeg", 40)


class TestPolyglots:
    @pytest.mark.parametrize("kind", KINDS)
    def test_what_hangs_on_behind_is_gone(self, kind: str) -> None:
        assert SCRIPT not in encode_anew(encoded(halves(), kind) + SCRIPT).content

    def test_what_hides_within_is_gone(self) -> None:
        text = PngImagePlugin.PngInfo()
        text.add(b"scRp", SCRIPT)
        for sent in (encoded(halves(), pnginfo=text), encoded(halves(), "JPEG", comment=b"*/" + SCRIPT)):
            assert SCRIPT in sent
            assert SCRIPT not in encode_anew(sent).content


class TestDamage:
    @pytest.mark.filterwarnings("ignore::UserWarning:PIL")  # Pillow's word on what it passes over
    @pytest.mark.parametrize("kind", KINDS)
    def test_whatever_is_wrong_it_is_an_image_or_refused(self, kind: str) -> None:
        whole = encoded(halves(), kind, exif=camera_exif(6), icc_profile=swapped_profile())

        @bounded(derandomize=True, database=None, deadline=None, max_examples=count(75, 300))
        @given(
            damage=st.lists(st.tuples(st.integers(0, len(whole) - 1), st.integers(0, 255)), max_size=6),
            end=st.integers(1, len(whole)),
        )
        def holds(damage: list[tuple[int, int]], end: int) -> None:
            content = bytearray(whole)
            for place, byte in damage:
                content[place] = byte
            with suppress(UnusableImage):
                assert isinstance(encode_anew(bytes(content[:end])), EncodedImage)

        holds()
