"""`ias verify`: whether a response sheet or a receipt is genuine. It needs no database."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from app.core.receipts import Receipt

GENUINE, NOT_GENUINE = 0, 1


def verify(
    file: Annotated[Path | None, typer.Argument(exists=True, help="A response sheet, JSON or PDF.")] = None,
    receipt: Annotated[str | None, typer.Option(help="A receipt, or the name of a file with one.")] = None,
    responses: Annotated[
        Path | None, typer.Option(exists=True, help="The body of the save, to compare with the receipt.")
    ] = None,
    keys: Annotated[Path | None, typer.Option(exists=True, help="The list of public keys.")] = None,
    api_url: Annotated[str | None, typer.Option(help="The API that has the list of public keys.")] = None,
) -> None:
    """Verify a signed response sheet, a receipt, or both. Exits with status 1 if anything is not genuine.

    Without a network, give the list of GET /v1/response-sheets/keys with --keys.
    """
    if file is None and receipt is None:
        raise typer.BadParameter("give the file of a response sheet, or --receipt")
    if (keys is None) == (api_url is None):
        raise typer.BadParameter("give --keys or --api-url")
    if responses is not None and receipt is None:
        raise typer.BadParameter("give the --receipt of these responses")
    from app.core import verifying  # noqa: PLC0415 -- slow to import

    try:
        known = verifying.read_keys(keys.read_bytes() if keys is not None else _fetched(str(api_url)))
        sheet = verifying.check_sheet(file.read_bytes(), known) if file is not None else None
        if sheet is not None:
            typer.echo(_about_sheet(sheet))
        if receipt is not None:
            body = responses.read_bytes() if responses is not None else None
            found = verifying.check_receipt(_text_of(receipt), known, body, sheet)
            typer.echo(_about_receipt(found, compared=body is not None))
    except verifying.NotGenuine as error:
        typer.echo(f"Not genuine: {error}", err=True)
        raise typer.Exit(NOT_GENUINE) from None


def _fetched(api_url: str) -> bytes:
    import httpx  # noqa: PLC0415 -- slow to import

    from app.core.verifying import NotGenuine  # noqa: PLC0415

    try:
        answer = httpx.get(f"{api_url.rstrip('/')}/v1/response-sheets/keys", timeout=30)
        answer.raise_for_status()
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise NotGenuine(f"The keys cannot be fetched from {api_url}: {error}") from error
    return answer.content


def _text_of(receipt: str) -> str:
    """The receipt itself. A name of a file is shorter."""
    path = Path(receipt)
    return path.read_text() if len(receipt) < 172 and path.is_file() else receipt


def _about_sheet(sheet: dict[str, Any]) -> str:
    candidate, attempt = sheet["candidate"], sheet["attempt"]
    whose = candidate["name"] or "a candidate without an account"
    if candidate["roll_number"] is not None:
        whose += f", roll number {candidate['roll_number']}"
    state = ", void" if attempt["status"] == "void" else ""
    return f"Genuine: the response sheet of {whose}, attempt {attempt['id']}{state}, as of {sheet['as_of']}."


def _about_receipt(receipt: "Receipt", *, compared: bool) -> str:
    which = "these responses" if compared else "responses"
    at = f"{receipt.received_at:%Y-%m-%d %H:%M:%S.%f} UTC"
    return f"Genuine: {which} of attempt {receipt.attempt_id} were received at {at}."
