"""Property tests draw the same examples on every run."""

from hypothesis import settings

settings.register_profile("engine", derandomize=True, database=None, deadline=None, max_examples=100)
settings.load_profile("engine")
