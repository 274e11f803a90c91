"""Exams over HTTP: composed, sat, steered, and released."""

from app.api.v1.exams import answer_sheets, composing, releasing, sitting, steering

# The busiest first; included one by one, since a router within a router is matched twice for each request.
ROUTERS = (sitting.router, composing.router, steering.router, releasing.router, answer_sheets.router)

__all__ = ["ROUTERS"]
