"""Images over HTTP: uploaded by authors, read by users who may see the paper."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, File, Response, UploadFile, status
from starlette.responses import StreamingResponse

from app.api.deps import AttemptHolder, CurrentAuthor, KnownEtag, Parts
from app.api.idempotency import OnceUow
from app.api.problems import problems
from app.api.routing import PrefixRouter
from app.core.errors import Forbidden, Invalid, NotFound, TooLarge
from app.models import Media
from app.schemas.media import MediaOut
from app.services.questions import media
from app.services.unit_of_work import reading

router = PrefixRouter(prefix="/media", tags=["media"])

SERVED: dict[str, Any] = {"image/png": {}, "image/jpeg": {}, "image/webp": {}}


@router.post(
    "",
    status_code=status.HTTP_201_CREATED,
    responses={
        200: {"model": MediaOut, "description": "The image exists already"},
        **problems(Forbidden, TooLarge, Invalid),
    },
)
async def upload_media(
    response: Response,
    author: CurrentAuthor,
    uow: OnceUow,
    parts: Parts,
    file: Annotated[UploadFile, File(description="PNG, JPEG or WebP, at most 5 MB and 40 million pixels")],
) -> MediaOut:
    """Upload an image. Refer to it by id in `media` of questions and passages.

    The format is detected from the content. The image is re-encoded: upright, in sRGB, without metadata.
    Animated images are refused. Uploading the same image again returns the same id (200).
    """
    content = await file.read(media.MAX_BYTES + 1)
    kept = await media.upload(uow, parts.media, author, content, parts.files)
    if not kept.is_new:
        response.status_code = status.HTTP_200_OK
    return MediaOut.of(kept.media)


async def _visible(media_id: UUID, holder: AttemptHolder, parts: Parts) -> Media:
    # A separate transaction: the storage may be slow, and other requests need the connection in the meantime.
    async with reading(parts.engine) as reads:
        if holder.grant is not None:
            return await media.find_in_attempt(reads, holder.user_id, holder.grant.attempt.id, media_id)
        assert holder.principal is not None  # noqa: S101 -- without an attempt token the user is signed in
        return await media.find(reads, holder.principal, media_id)


VisibleImage = Annotated[Media, Depends(_visible)]


@router.get(
    "/{media_id}",
    response_class=Response,
    responses={
        200: {"content": SERVED, "description": "The image"},
        304: {"description": "The client has the image: it never changes"},
        **problems(NotFound),
    },
)
async def get_media(
    image: VisibleImage,
    parts: Parts,
    if_none_match: KnownEtag = None,
) -> Response:
    """An image, for staff of the question bank and for users with an attempt at a paper that shows it.

    An attempt token gives access to the images of its paper. Images never change and can be cached for good.
    """
    etag = f'"{image.sha256}"'
    headers = {"ETag": etag, "Cache-Control": "private, max-age=31536000, immutable"}
    if if_none_match is not None and etag in (tag.strip() for tag in if_none_match.split(",")):
        return Response(status_code=status.HTTP_304_NOT_MODIFIED, headers=headers)
    headers |= {"Content-Length": str(image.size_bytes), "Content-Disposition": "inline"}
    pieces = await parts.media.read(media.key_of(image))
    return StreamingResponse(pieces, media_type=image.content_type, headers=headers)
