"""Exams over HTTP: composed, sat, steered, and released."""

from app.api.v1.exams import composing, releasing, sitting, steering

# The busiest first; included one by one, since a router within a router is matched twice for each request.
ROUTERS = (sitting.router, composing.router, steering.router, releasing.router)

__all__ = ["ROUTERS"]
