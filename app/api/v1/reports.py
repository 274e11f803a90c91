"""What takes seconds to compute for the staff of a test: similar answer sheets, and the report."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import Depends, Query, Request, Response

from app.api.deps import CurrentBankReader, Parts
from app.api.disconnects import while_connected
from app.api.problems import problems
from app.api.routing import PrefixRouter
from app.core.errors import Forbidden, Invalid, NotFound, TooComplex, Unavailable
from app.schemas.analytics.similarity import SimilarityOut
from app.services import reports
from app.services.analytics import similarity
from app.services.analytics.similarity import Material, Wanted
from app.services.reports import ReportMaterial
from app.services.unit_of_work import reading

router = PrefixRouter(prefix="/analytics/tests", tags=["analytics"])

PAGE = {
    "Cache-Control": "private, no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
}
"""The page has styles and drawings in itself, and loads nothing."""

PaperVersion = Annotated[
    int | None, Query(ge=1, le=100_000, description="A version of the test; by default the newest")
]
ExamPaperId = Annotated[
    UUID | None, Query(description="A paper of an exam, for those who took the test there")
]


async def _material(
    test_id: UUID,
    staff: CurrentBankReader,
    parts: Parts,
    pairs: Annotated[
        Literal["all", "device", "minute", "neighbors"],
        Query(
            description="`device`: who used one device. `minute`: who submitted within a minute."
            " `neighbors`: roll numbers at most four places apart"
        ),
    ] = "all",
    attempt_id: Annotated[
        list[UUID] | None, Query(max_length=20, description="Only pairs with one of these attempts")
    ] = None,
    false_flags: Annotated[
        float,
        Query(ge=0.001, le=10, description="Flags to accept among all compared pairs, if nobody copied"),
    ] = 0.05,
    paper_version: PaperVersion = None,
    exam_paper_id: ExamPaperId = None,
) -> Material:
    wanted = Wanted(pairs, attempt_id or (), false_flags, paper_version, exam_paper_id)
    # A separate transaction: the comparison takes seconds, and others need the connection meanwhile.
    async with reading(parts.engine) as reads:
        return await similarity.material(reads, parts, staff, test_id, wanted)


@router.get(
    "/{test_id}/similarity", responses=problems(Forbidden, NotFound, Invalid, TooComplex, Unavailable)
)
async def get_similarity(
    material: Annotated[Material, Depends(_material)],
    staff: CurrentBankReader,
    request: Request,
    parts: Parts,
) -> SimilarityOut:
    """Pairs of candidates whose answers agree too much for chance: for the author, evaluators and admins.

    All pairs of up to 5,000 candidates are compared in seconds; of more, choose with `pairs` or `attempt_id`.
    The more pairs, the less probable an agreement must be to be flagged. A flag is a reason to look, and
    never a proof; nothing follows from it by itself. Each reading is recorded in the audit log.
    """
    comparison = await while_connected(request, similarity.compare(parts, staff, material))
    async with reading(parts.engine) as reads:
        return SimilarityOut.of(await similarity.named(reads, staff, comparison))


async def _report_material(
    test_id: UUID,
    staff: CurrentBankReader,
    parts: Parts,
    paper_version: PaperVersion = None,
    exam_paper_id: ExamPaperId = None,
) -> ReportMaterial:
    async with reading(parts.engine) as reads:
        return await reports.material(reads, parts, staff, test_id, paper_version, exam_paper_id)


@router.get(
    "/{test_id}/report",
    response_class=Response,
    responses={
        200: {
            "content": {"text/html": {}},
            "description": "One file with all its figures, for screen and print",
        },
        **problems(Forbidden, NotFound, TooComplex, Unavailable),
    },
)
async def get_test_report(
    material: Annotated[ReportMaterial, Depends(_report_material)],
    staff: CurrentBankReader,
    request: Request,
    parts: Parts,
) -> Response:
    """The report on a test as a web page: what to look at first, the test, and each question in plots.

    For the author of the test, evaluators and admins. It shows the statistics that the last refresh has
    computed (`POST …/refresh`), and the key. Save it as a file: it needs no network and runs no script.
    """
    page = await while_connected(request, reports.page(parts, staff, material))
    return Response(page, media_type="text/html; charset=utf-8", headers=PAGE)
