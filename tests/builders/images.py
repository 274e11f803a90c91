"""Images for tests, as cameras, drawing programs and attackers make them."""

import struct
import zlib
from io import BytesIO
from typing import Any
from uuid import uuid4

import httpx
from PIL import ExifTags, Image, ImageCms

SCRIPT = b"<script>alert(document.cookie)</script>"
LEFT, RIGHT = (200, 30, 40), (20, 60, 210)


def halves(mode: str = "RGB", size: tuple[int, int] = (40, 20)) -> Image.Image:
    """Red on the left, blue on the right: so that one sees whether it was turned or recolored."""
    image = Image.new("RGB", size, LEFT)
    image.paste(RIGHT, (size[0] // 2, 0, *size))
    return image.convert(mode)


def noise(side: int) -> Image.Image:
    """An image that cannot be made small."""
    return Image.merge("RGB", [Image.effect_noise((side, side), 90) for _ in range(3)])


def encoded(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    buffer = BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def decoded(content: bytes) -> Image.Image:
    image = Image.open(BytesIO(content))
    image.load()
    return image


def camera_exif(orientation: int = 1) -> Image.Exif:
    """What a telephone writes: where and with what the image was taken."""
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    exif[ExifTags.Base.Make] = "SecretCamera"
    exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitude] = (28.0, 36.0, 50.0)
    return exif


def swapped_profile() -> bytes:
    """A color profile by which red is blue and blue is red."""
    profile: bytes = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return profile.replace(b"rXYZ", b"????", 1).replace(b"bXYZ", b"rXYZ", 1).replace(b"????", b"bXYZ", 1)


def png_header(width: int, height: int) -> bytes:
    """The beginning of a PNG, which says how large it would be; no pixel follows."""
    return (
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
        + _chunk(b"IDAT", b"")
    )


def webp_header(width: int, height: int) -> bytes:
    size = b"\0\0\0\0" + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return b"RIFF" + struct.pack("<I", 22) + b"WEBPVP8X" + struct.pack("<I", 10) + size


def jpeg_header(width: int, height: int) -> bytes:
    scan = b"\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00"
    frame = struct.pack(">BHHB", 8, height, width, 1) + b"\x01\x11\x00"
    return b"\xff\xd8\xff\xc0" + struct.pack(">H", len(frame) + 2) + frame + scan


def new_image(kind: str = "PNG", **options: Any) -> bytes:
    """An image that nobody else has."""
    image = halves()
    for position, byte in enumerate(uuid4().bytes):
        image.putpixel((position * 2, 0), (byte, byte, byte))
    return encoded(image, kind, **options)


async def send(client: httpx.AsyncClient, content: bytes, name: str = "map.png") -> httpx.Response:
    """Upload a file under a name, which should not matter."""
    return await client.post("/media", files={"file": (name, content, "image/png")})


async def uploaded(author: httpx.AsyncClient, content: bytes | None = None) -> dict[str, Any]:
    """A new image of the bank, as the API describes it."""
    answer = await send(author, content or new_image())
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
