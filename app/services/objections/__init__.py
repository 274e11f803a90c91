"""Objections to keys: candidates make them, staff read them in clusters and decide (docs/decisions/0076)."""

from app.services.objections.clusters import ClusterView, clusters, texts
from app.services.objections.deciding import Decided, RevisionCall, Verdict, decide
from app.services.objections.objecting import NewObjection, make, own, withdraw
from app.services.objections.sheets import objection_sheet

__all__ = [
    "ClusterView",
    "Decided",
    "NewObjection",
    "RevisionCall",
    "Verdict",
    "clusters",
    "decide",
    "make",
    "objection_sheet",
    "own",
    "texts",
    "withdraw",
]
