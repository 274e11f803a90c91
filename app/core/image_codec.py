"""Decodes and encodes images with Pillow. `core/images.py` calls it in processes that work on images."""

import struct
import zlib
from functools import lru_cache
from io import BytesIO
from typing import Any

from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from app.core.images import MAX_PIXELS, EncodedImage, UnusableImage
from app.sentences import Sentence

QUALITY = 90

# Pillow checks this limit before it allocates memory. It warns above the limit and raises above twice of it.
Image.MAX_IMAGE_PIXELS = MAX_PIXELS

# Phones write several images into one JPEG file (MPO). The first one is used.
_CONTENT_TYPES = {"PNG": "image/png", "JPEG": "image/jpeg", "MPO": "image/jpeg", "WEBP": "image/webp"}
_SAVED_AS: dict[str, dict[str, Any]] = {
    "image/png": {"format": "PNG"},
    "image/jpeg": {"format": "JPEG", "quality": QUALITY, "optimize": True},
    "image/webp": {"format": "WEBP", "quality": QUALITY},
}
_BOMBS = (Image.DecompressionBombError, Image.DecompressionBombWarning)
# The exceptions of Pillow's decoders for damaged files.
_DAMAGE = (OSError, SyntaxError, ValueError, TypeError, LookupError, EOFError, struct.error, zlib.error)


def encode_anew(content: bytes) -> EncodedImage:
    """See `images.encode_anew`."""
    try:
        with Image.open(BytesIO(content), formats=("PNG", "JPEG", "WEBP")) as image:
            _check(image)
            plain, content_type = _plain(image), _CONTENT_TYPES[str(image.format)]
    except UnidentifiedImageError:
        raise UnusableImage("The file is not a PNG, JPEG or WebP image.") from None
    except _BOMBS:
        raise UnusableImage(_too_many_pixels()) from None
    except _DAMAGE:
        raise UnusableImage("The image is damaged or incomplete.") from None
    del image  # Free the decoder's memory for the encoder.
    return _encoded(plain, content_type)


def encode_square(content: bytes, side: int) -> EncodedImage:
    """See `images.encode_square`."""
    plain = encode_anew(content)
    with Image.open(BytesIO(plain.content)) as image:
        square = ImageOps.fit(image.convert("RGBA"), (side, side))
    canvas = Image.new("RGB", square.size, "white")
    canvas.paste(square, mask=square.getchannel("A"))
    return _encoded(canvas, "image/jpeg")


def _check(image: Image.Image) -> None:
    """Check the header of the file before its pixels are decoded."""
    if image.width * image.height > MAX_PIXELS:
        raise UnusableImage(_too_many_pixels())
    if getattr(image, "n_frames", 1) > 1 and image.format != "MPO":
        raise UnusableImage("Animated images are not accepted. Send a single image.")


def _too_many_pixels() -> str:
    template = "The image has more than {most} million pixels. Reduce its size."
    return Sentence(template, most=MAX_PIXELS // 1_000_000)


def _plain(image: Image.Image) -> Image.Image:
    ImageOps.exif_transpose(image, in_place=True)
    upright = _in_srgb(image)
    if upright.mode.startswith("I"):  # Scale 16-bit gray here, because `convert` would clip it.
        upright = upright.point(lambda value: value * (1 / 256))
    plain = upright.convert(_plain_mode(upright))
    plain.info.clear()  # Encoders would write comments, profiles and text from here.
    return plain


def _plain_mode(image: Image.Image) -> str:
    if image.has_transparency_data:
        return "RGBA"
    return "L" if image.mode in ("1", "L", "LA") or image.mode.startswith("I") else "RGB"


def _in_srgb(image: Image.Image) -> Image.Image:
    """Convert the colors from the image's profile to sRGB. An unreadable profile is ignored."""
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
        # The pixels are valid here. Pillow raises ValueError if libwebp is out of memory.
        raise MemoryError from error
    return EncodedImage(buffer.getvalue(), content_type, image.width, image.height)
