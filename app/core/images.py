"""Images made safe to show: recognized by their content, and encoded anew without anything but pixels."""

import hashlib
import struct
import zlib
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from typing import Any

from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

MAX_PIXELS = 40_000_000
QUALITY = 90

# Pillow compares with this before it makes room for pixels: beyond it a warning, beyond twice that an error.
Image.MAX_IMAGE_PIXELS = MAX_PIXELS

# Telephones write several pictures into one JPEG (MPO): the first one is what they show.
_CONTENT_TYPES = {"PNG": "image/png", "JPEG": "image/jpeg", "MPO": "image/jpeg", "WEBP": "image/webp"}
_SAVED_AS: dict[str, dict[str, Any]] = {
    "image/png": {"format": "PNG"},
    "image/jpeg": {"format": "JPEG", "quality": QUALITY, "optimize": True},
    "image/webp": {"format": "WEBP", "quality": QUALITY},
}
_BOMBS = (Image.DecompressionBombError, Image.DecompressionBombWarning)
# What Pillow's decoders raise for broken files.
_DAMAGE = (OSError, SyntaxError, ValueError, TypeError, LookupError, EOFError, struct.error, zlib.error)


class UnusableImage(Exception):
    """Why a file is no image that we take, in words for its author."""


@dataclass(frozen=True, slots=True)
class EncodedImage:
    """An image as it is stored and served."""

    content: bytes
    content_type: str
    width: int
    height: int

    @property
    def sha256(self) -> str:
        """What it is known by."""
        return hashlib.sha256(self.content).hexdigest()


def encode_anew(content: bytes) -> EncodedImage:
    """The same picture upright, in sRGB and without metadata. Raises UnusableImage.

    Takes up to some seconds of processor time, and more than a gigabyte for the largest WebP images: where
    others wait for the process, it is called in a child (`core/process_pool.py`).
    """
    try:
        with Image.open(BytesIO(content), formats=("PNG", "JPEG", "WEBP")) as image:
            _check(image)
            plain, content_type = _plain(image), _CONTENT_TYPES[str(image.format)]
    except UnidentifiedImageError:
        raise UnusableImage("this is no PNG, JPEG or WebP image, whatever its name says") from None
    except _BOMBS:
        raise UnusableImage(_too_many_pixels()) from None
    except _DAMAGE:
        raise UnusableImage("the image is damaged or incomplete") from None
    del image  # and its decoder with it: the encoder needs the room
    return _encoded(plain, content_type)


def _check(image: Image.Image) -> None:
    """Nothing is decoded yet: this is what the file says of itself."""
    if image.width * image.height > MAX_PIXELS:
        raise UnusableImage(_too_many_pixels())
    if getattr(image, "n_frames", 1) > 1 and image.format != "MPO":
        raise UnusableImage("animated images are not taken; send one picture")


def _too_many_pixels() -> str:
    return f"the image has more than {MAX_PIXELS // 1_000_000} million pixels; make it smaller"


def _plain(image: Image.Image) -> Image.Image:
    ImageOps.exif_transpose(image, in_place=True)
    upright = _in_srgb(image)
    if upright.mode.startswith("I"):  # 16 bits of grey, which `convert` would cut off, not scale
        upright = upright.point(lambda value: value * (1 / 256))
    plain = upright.convert(_plain_mode(upright))
    plain.info.clear()  # Encoders take comments, profiles and text from here.
    return plain


def _plain_mode(image: Image.Image) -> str:
    if image.has_transparency_data:
        return "RGBA"
    return "L" if image.mode in ("1", "L", "LA") or image.mode.startswith("I") else "RGB"


def _in_srgb(image: Image.Image) -> Image.Image:
    """Colors as the profile means them; a profile that cannot be read is ignored, as browsers do."""
    profile = image.info.get("icc_profile")
    if not profile or image.mode not in ("RGB", "RGBA", "CMYK"):
        return image
    mode = "RGB" if image.mode == "CMYK" else image.mode
    try:
        source = ImageCms.ImageCmsProfile(BytesIO(profile))
        converted = ImageCms.profileToProfile(image, source, _srgb(), outputMode=mode)
    except (ImageCms.PyCMSError, OSError):
        return image
    return converted or image


@lru_cache(maxsize=1)
def _srgb() -> ImageCms.ImageCmsProfile:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))


def _encoded(image: Image.Image, content_type: str) -> EncodedImage:
    buffer = BytesIO()
    try:
        image.save(buffer, **_SAVED_AS[content_type])
    except ValueError as error:
        # The picture is whole by now: this is what Pillow makes of libwebp's "out of memory".
        raise MemoryError from error
    return EncodedImage(buffer.getvalue(), content_type, image.width, image.height)
