"""Deletion of accounts, and exports of what is kept of a person."""

from app.repositories.privacy.deletions import DeletionRepository
from app.repositories.privacy.exports import ExportRepository
from app.repositories.privacy.purge import PurgeRepository

__all__ = ["DeletionRepository", "ExportRepository", "PurgeRepository"]
