"""Checks uploaded images and encodes them again, so that only their pixels are kept (docs/decisions/0030)."""

import hashlib
from dataclasses import dataclass

MAX_PIXELS = 40_000_000


class UnusableImage(Exception):
    """The file is not an accepted image. The message tells the author why."""


@dataclass(frozen=True, slots=True)
class EncodedImage:
    """An image as it is stored and served."""

    content: bytes
    content_type: str
    width: int
    height: int

    @property
    def sha256(self) -> str:
        """The key under which the image is stored."""
        return hashlib.sha256(self.content).hexdigest()


def encode_anew(content: bytes) -> EncodedImage:
    """Encode an image upright, in sRGB and without metadata. Raises UnusableImage.

    This takes up to some seconds of CPU time, and more than a gigabyte of memory for the largest WebP images.
    The API therefore calls it in a child process (`core/process_pool.py`).
    """
    from app.core import image_codec  # noqa: PLC0415 -- Pillow, which the API itself does not need

    return image_codec.encode_anew(content)


def encode_square(content: bytes, side: int) -> EncodedImage:
    """Encode the middle of an image as a square JPEG without metadata. Raises UnusableImage."""
    from app.core import image_codec  # noqa: PLC0415 -- as above

    return image_codec.encode_square(content, side)
