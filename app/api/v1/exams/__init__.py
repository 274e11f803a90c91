"""Exams over HTTP: composing, taking, running and releasing."""

from app.api.v1.exams import (
    answer_sheets,
    editing,
    registrations,
    releasing,
    result_documents,
    steering,
    taking,
)

# The busiest first. Each is included by itself, because a nested router is matched twice for each request.
ROUTERS = (
    taking.router,
    registrations.router,
    editing.router,
    steering.router,
    releasing.router,
    result_documents.router,
    answer_sheets.router,
)

__all__ = ["ROUTERS"]
