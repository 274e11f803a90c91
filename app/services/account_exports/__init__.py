"""Exports of everything that is kept of a person, made by a job and downloaded once."""

from app.services.account_exports.building import build
from app.services.account_exports.files import delete_files, delete_over
from app.services.account_exports.requests import ReadyFile, find, open_file, request

__all__ = ["ReadyFile", "build", "delete_files", "delete_over", "find", "open_file", "request"]
