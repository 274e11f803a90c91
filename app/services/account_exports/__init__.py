"""Exports of everything that is kept of a person, made by a job and downloaded once."""

from app.services.account_exports.building import build
from app.services.account_exports.files import BATCH, delete_expired, delete_files
from app.services.account_exports.requests import ReadyFile, find, open_file, request

__all__ = ["BATCH", "ReadyFile", "build", "delete_expired", "delete_files", "find", "open_file", "request"]
