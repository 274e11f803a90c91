"""Pages for the OpenAPI and AsyncAPI documents, served from this host without inline scripts or styles."""

from html import escape
from importlib import resources
from pathlib import Path

from fastapi import Request
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse, Response

from app.api import asyncapi, socket_page
from app.api.parameters import IGNORES_UNKNOWN_PARAMETERS
from app.api.routing import PrefixRouter
from app.core.errors import NotFound

router = PrefixRouter(include_in_schema=False, dependencies=[IGNORES_UNKNOWN_PARAMETERS])

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
FILES = {
    "swagger-ui-bundle.js": "text/javascript",
    "swagger-ui.css": "text/css",
    "favicon.png": "image/png",
}
# Only `fastapi_offline`'s static files of Swagger UI are used.
FOLDER = Path(str(resources.files("fastapi_offline"))) / "static"
CACHED = {"Cache-Control": "public, max-age=86400"}

# URLs are relative: they work behind a proxy's prefix, and the Host header is not used.
PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="stylesheet" href="docs/swagger-ui.css">
<link rel="icon" type="image/png" href="docs/favicon.png">
</head>
<body>
<p><a href="docs/sockets">Sockets</a> · <a href="openapi.json">OpenAPI document</a></p>
<div id="swagger-ui"></div>
<script src="docs/swagger-ui-bundle.js"></script>
<script src="docs/start.js"></script>
</body>
</html>
"""
START = """SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  presets: [SwaggerUIBundle.presets.apis, SwaggerUIBundle.SwaggerUIStandalonePreset],
});
"""
TEXTS = {"start.js": (START, "text/javascript"), "sockets.css": (socket_page.STYLE, "text/css")}


@router.get("/docs")
async def documentation(request: Request) -> HTMLResponse:
    """Swagger UI for the OpenAPI document. It loads nothing from other hosts."""
    page = PAGE.format(title=escape(request.app.title))
    return HTMLResponse(page, headers={"Content-Security-Policy": POLICY})


@router.get("/asyncapi.json")
async def sockets_document(request: Request) -> JSONResponse:
    """The AsyncAPI document of the sockets."""
    return JSONResponse(asyncapi.document(request.app.state.api_url))


@router.get("/docs/sockets")
async def sockets_documentation(request: Request) -> HTMLResponse:
    """The AsyncAPI document as a page."""
    page = socket_page.page(request.app.state.api_url)
    return HTMLResponse(page, headers={"Content-Security-Policy": POLICY})


@router.get("/docs/{file}")
async def documentation_file(file: str) -> Response:
    """Scripts, styles and the icon of the pages."""
    if file in TEXTS:
        content, media_type = TEXTS[file]
        return Response(content, media_type=media_type, headers=CACHED)
    if file not in FILES:
        raise NotFound("file")
    return FileResponse(FOLDER / file, media_type=FILES[file], headers=CACHED)
