"""Verifies receipts and signed response sheets with public keys alone. It needs no server and no secret."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from io import BytesIO
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import orjson
from pypdf import PdfReader
from pypdf.errors import PyPdfError

from app.core.receipts import Receipt, ReceiptUnreadable, response_facts
from app.core.signed_files import ATTACHED, SHEET_FORMAT
from app.core.signing import canonical, digest_of, from_base64url, is_signed, key_id_of

_SLACK = timedelta(minutes=5)
"""How far the times of a receipt and of its key may be apart: the request arrives before the key is made."""
_DEFAULTS = {"marked_for_review": False, "time_spent_ms": 0, "confidence": None, "language": None}

Json = dict[str, Any]


class NotGenuine(Exception):
    """What was given is not genuine, or cannot be verified. The message is a sentence that says why."""


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A public key of the list, and when it was in use."""

    public_key: bytes
    since: datetime
    until: datetime | None


def read_keys(content: bytes) -> Mapping[str, PublicKey]:
    """The list of `GET /v1/response-sheets/keys`. Raises NotGenuine if it is none."""
    try:
        keys = {each["id"]: _key(each) for each in orjson.loads(content)["items"]}
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise NotGenuine("The keys are not a list as GET /v1/response-sheets/keys gives it.") from error
    for key_id, key in keys.items():
        if key_id_of(key.public_key) != key_id:
            raise NotGenuine(f"The list of keys is wrong: {key_id} is not the id of its key.")
    return keys


def check_sheet(content: bytes, keys: Mapping[str, PublicKey]) -> Json:
    """The content of a signed sheet, from its JSON or its PDF. Raises NotGenuine."""
    if content.startswith(b"%PDF"):
        content = _attached(content)
    try:
        signed = orjson.loads(content)
        sheet, signature = signed["sheet"], signed["signature"]
        key_id, value = signature["key_id"], from_base64url(signature["value"])
        written = sheet["format"], sheet["log"], sheet["log_digest"], sheet["attempt"]["id"]
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise NotGenuine("The file is not a signed response sheet.") from error
    if written[0] != SHEET_FORMAT:
        raise NotGenuine(f"The format of the sheet is {written[0]}. This program knows {SHEET_FORMAT}.")
    if not is_signed(_known(key_id, keys).public_key, value, canonical(sheet)):
        raise NotGenuine(f"The sheet was changed: key {key_id} has not signed this content.")
    if digest_of(written[1]).hex() != written[2]:
        raise NotGenuine("The digest in the sheet is not that of its log.")
    return dict(sheet)


def check_receipt(
    text: str, keys: Mapping[str, PublicKey], body: bytes | None = None, sheet: Json | None = None
) -> Receipt:
    """The content of a receipt. With the body of the request, and a sheet, they must agree.

    Raises NotGenuine.
    """
    try:
        receipt = Receipt.read(text)
    except ReceiptUnreadable as error:
        raise NotGenuine(str(error)) from error
    key = _known(receipt.key_id, keys)
    if not receipt.is_signed_by(key.public_key):
        raise NotGenuine(f"The receipt was changed: key {receipt.key_id} has not signed it.")
    is_early = receipt.received_at < key.since - _SLACK
    if is_early or (key.until is not None and receipt.received_at > key.until + _SLACK):
        raise NotGenuine(f"The receipt is of a time at which key {receipt.key_id} was not in use.")
    if sheet is not None and sheet["attempt"]["id"] != str(receipt.attempt_id):
        raise NotGenuine("The receipt and the sheet are of different attempts.")
    if body is not None:
        _check_responses(receipt, read_responses(body), sheet)
    return receipt


def read_responses(body: bytes) -> Sequence[Json]:
    """The responses of the body of a save, as receipts have them. Raises NotGenuine if it is none."""
    try:
        sent = orjson.loads(body)
        return [_response(each, sent["lease"]) for each in sent["responses"]]
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise NotGenuine("The file of responses is not the body of a save.") from error


def _check_responses(receipt: Receipt, responses: Sequence[Json], sheet: Json | None) -> None:
    if digest_of(responses) != receipt.digest:
        raise NotGenuine(
            "The receipt is for other responses. Leave out those that the answer had in conflicts or closed."
        )
    if sheet is None:
        return
    logged = [{name: event.get(name) for name in responses[0]} for event in sheet["log"]]
    if missing := [each["question_id"] for each in responses if each not in logged]:
        raise NotGenuine(f"The sheet lacks responses of the receipt: question {', '.join(missing)}.")


def _response(sent: Json, lease: int) -> Json:
    whole = _DEFAULTS | sent
    return response_facts(SimpleNamespace(**(whole | {"question_id": UUID(sent["question_id"])})), lease)


def _key(written: Json) -> PublicKey:
    until = written["until"]
    return PublicKey(
        from_base64url(written["public_key"]),
        datetime.fromisoformat(written["from"]),
        datetime.fromisoformat(until) if until is not None else None,
    )


def _known(key_id: Any, keys: Mapping[str, PublicKey]) -> PublicKey:
    key = keys.get(key_id) if isinstance(key_id, str) else None
    if key is None:
        raise NotGenuine(f"The list of keys does not have the key {key_id}.")
    return key


def _attached(pdf: bytes) -> bytes:
    try:
        [content] = PdfReader(BytesIO(pdf)).attachments[ATTACHED]
    except (PyPdfError, KeyError, ValueError, TypeError) as error:
        raise NotGenuine("The PDF has no signed response sheet attached.") from error
    return bytes(content)
