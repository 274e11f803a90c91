"""Revisions of the keys of tests: tried, published, and graded by (docs/decisions/0075)."""
