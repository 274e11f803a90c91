"""Property tests draw the same examples on every run: 25 in `make test`, 100 in `make thorough`."""

from hypothesis import settings

from tests.thorough import count

settings.register_profile(
    "engine", derandomize=True, database=None, deadline=None, max_examples=count(25, 100)
)
settings.load_profile("engine")
