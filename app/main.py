"""`create_app` builds the ASGI application from its routers, middleware and components."""

import asyncio
import gc
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from fastapi import FastAPI
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from app.api import (
    direct_papers,
    direct_reads,
    direct_saves,
    direct_starts,
    direct_states,
    direct_submits,
    openapi,
    problems,
)
from app.api.direct_responses import DirectResponses
from app.api.routing import MAX_FIELDS, MAX_FILES
from app.api.sockets import Sockets
from app.api.v1 import (
    account,
    audit,
    auth,
    bookmarks,
    candidate_analysis,
    candidates,
    column_mappings,
    enrolments,
    exams,
    health,
    home,
    institutes,
    key_revisions,
    leaderboards,
    media,
    notifications,
    objections,
    passages,
    performance,
    practice,
    questions,
    recommendations,
    reports,
    response_sheets,
    result_documents,
    subjects,
    test_statistics,
    tests,
    timeline,
    users,
    websocket,
)
from app.config import Settings, get_settings
from app.core import origins
from app.core.arrival import Arrivals
from app.core.clock import Clock, SystemClock
from app.core.middleware import AccessLog, RateLimitHeaders, RequestContext, SecurityHeaders
from app.core.repeating import end, keep_running, repeat
from app.core.telemetry import configure_logging
from app.core.whole_responses import WholeResponses
from app.services import realtime, replica
from app.services.auth.revocations import RECOVERED_AFTER_SECONDS, RevocationFollower
from app.startup import open_components

DESCRIPTION = """
The backend of an IAS (UPSC Civil Services) test series.

Sign in at `POST /v1/auth/login` and send the access token as a bearer token. Errors are problem documents
(RFC 9457) with a stable `code`. Times are in UTC. Marks are strings with exact values. Texts are objects with
one entry for each language.
"""

DIRECT_ROUTES = (
    *direct_saves.ROUTES,
    *direct_papers.ROUTES,
    *direct_reads.ROUTES,
    *direct_starts.ROUTES,
    *direct_states.ROUTES,
    *direct_submits.ROUTES,
)

REQUEST_STATEMENT_SECONDS = 30.0
"""The longest time that a request waits for one SQL statement."""


class Api(FastAPI):
    """FastAPI, with ASGI applications in front that can answer a request."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.front: ASGIApp = super().__call__
        """Called first. `create_app` sets it; until then it is FastAPI."""
        self.direct_without_task: Callable[[Scope, WholeResponses], bool] = lambda *_: False
        """What the server asks before that: see `answer_without_task`."""

    def answer_without_task(self, scope: Scope, send: WholeResponses) -> bool:
        """Answer a request for which nothing has to be awaited. If it returns False, nothing was sent."""
        scope["app"] = self
        return self.direct_without_task(scope, send)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        scope["app"] = self
        await self.front(scope, receive, send)


def create_app(
    settings: Settings | None = None,
    *,
    clock: Clock | None = None,
    monotonic: Callable[[], float] = time.monotonic,
) -> FastAPI:
    """Build the application. It connects to no server before its lifespan starts."""
    settings = settings or get_settings()
    clock = clock or SystemClock()
    arrivals = Arrivals(clock, monotonic)
    configure_logging(settings.log_level)
    hsts = settings.environment == "production"
    app = Api(
        title="IAS test series",
        version="1",
        description=DESCRIPTION,
        servers=[{"url": settings.api_url if "api_url" in settings.model_fields_set else "/"}],
        generate_unique_id_function=openapi.operation_id,
        lifespan=_lifespan(settings, clock, arrivals),
        middleware=_middleware(settings, arrivals, hsts=hsts),
        openapi_url="/openapi.json" if settings.shows_docs else None,
        docs_url=None,
        redoc_url=None,
        # A redirect to the path without its slash would be built from the client's Host header.
        redirect_slashes=False,
        form_limits={"max_fields": MAX_FIELDS, "max_files": MAX_FILES, "max_part_size": 100_000},
    )
    direct_responses = DirectResponses(
        app.front,
        routes=DIRECT_ROUTES,
        arrivals=arrivals,
        trusted_proxies=settings.trusted_proxies,
        hsts=hsts,
        cors=_cors(settings),
    )
    app.direct_without_task = direct_responses.answer_without_task
    app.front = Sockets(
        direct_responses, RequestContext(direct_responses, arrivals, settings.trusted_proxies)
    )
    problems.install(app)
    openapi.install(app)
    # The routers are included one by one, those with the most requests first. Starlette matches a request
    # twice if a router is nested in another one.
    for router in (
        tests.router,
        candidates.router,
        key_revisions.router,
        *exams.ROUTERS,
        auth.router,
        account.router,
        users.router,
        home.router,
        bookmarks.router,
        objections.exam_router,
        objections.router,
        leaderboards.router,
        candidate_analysis.router,
        test_statistics.router,
        reports.router,
        result_documents.router,
        response_sheets.router,
        timeline.router,
        performance.router,
        recommendations.router,
        practice.router,
        enrolments.router,
        subjects.router,
        questions.router,
        column_mappings.router,
        institutes.router,
        passages.router,
        media.router,
        websocket.router,
        notifications.router,
        notifications.device_router,
        audit.router,
        health.clock_router,
        health.router,
    ):
        app.include_router(router, prefix="/v1")
    app.include_router(health.router, include_in_schema=False)
    if settings.shows_docs:
        from app.api import docs  # noqa: PLC0415 -- production has no use for its libraries

        app.state.api_url = settings.api_url
        app.include_router(docs.router)
    return app


def _lifespan(
    settings: Settings, clock: Clock, arrivals: Arrivals
) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with open_components(
            settings,
            application_name="ias-api",
            statement_seconds=REQUEST_STATEMENT_SECONDS,
            clock=clock,
            reads_replica=True,
        ) as parts:
            app.state.components = parts
            follower = RevocationFollower(parts)
            await follower.start()
            if settings.public_docs:
                app.openapi()  # Build the document now: later, building it would block the event loop.
            # Exclude the objects that exist now from garbage collection. They live as long as the process,
            # and scanning them took most of the time of the slowest requests (docs/performance.md).
            gc.collect()
            gc.freeze()
            tasks = [
                asyncio.create_task(
                    keep_running("revocations", follower.run, recovered_after=RECOVERED_AFTER_SECONDS)
                ),
                asyncio.create_task(keep_running("arrivals", arrivals.watch)),
            ]
            if parts.replica is not None:
                tasks.append(asyncio.create_task(repeat("replica", replica.SECONDS, parts.replica.step)))
            try:
                async with realtime.running(parts) as app.state.realtime:
                    yield
            finally:
                await end(tasks)

    return lifespan


def _middleware(settings: Settings, arrivals: Arrivals, *, hsts: bool) -> list[Middleware]:
    """The middleware, outermost first."""
    return [
        Middleware(RequestContext, arrivals=arrivals, trusted_proxies=settings.trusted_proxies),
        Middleware(AccessLog),
        Middleware(SecurityHeaders, hsts=hsts),
        Middleware(CORSMiddleware, **_cors(settings)),
        Middleware(problems.UnexpectedErrors),
        Middleware(RateLimitHeaders),
    ]


def _cors(settings: Settings) -> dict[str, Any]:
    """Which web pages may call the API, and what they may send and read."""
    return {
        "allow_origins": settings.cors_origins,
        "allow_origin_regex": origins.pattern_of(settings.cors_origins),
        "allow_methods": ["GET", "POST", "PUT", "PATCH", "DELETE"],
        "allow_headers": [
            "Authorization",
            "Content-Type",
            "Idempotency-Key",
            "If-None-Match",
            "X-Request-ID",
        ],
        "expose_headers": [
            "Allow",
            "Content-Disposition",
            "ETag",
            "Idempotency-Replayed",
            "RateLimit-Limit",
            "RateLimit-Remaining",
            "RateLimit-Reset",
            "Retry-After",
            "X-Questions-Exported",
            "X-Questions-Left-Out",
            "X-Request-ID",
        ],
    }
