"""Signed response sheets over HTTP, and the public keys that verify them (docs/proof.md)."""

from fastapi import APIRouter

from app.api.deps import Reads
from app.api.routing import PermissionFirstRoute
from app.schemas.response_sheets import SigningKeysOut
from app.services import signing_keys

router = APIRouter(tags=["response sheets"], route_class=PermissionFirstRoute)


@router.get("/response-sheets/keys")
async def list_signing_keys(reads: Reads) -> SigningKeysOut:
    """The public keys with which anybody verifies receipts of saves and signed response sheets.

    A key is here from its first use on and is never removed. Keep a copy before an exam.
    """
    return SigningKeysOut.of(await signing_keys.public_keys(reads))
