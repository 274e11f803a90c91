"""Exams over HTTP: composed, taken, run and released."""

from app.api.v1.exams import answer_sheets, editing, releasing, steering, taking

# The busiest first; included one by one, since a router within a router is matched twice for each request.
ROUTERS = (taking.router, editing.router, steering.router, releasing.router, answer_sheets.router)

__all__ = ["ROUTERS"]
