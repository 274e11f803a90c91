"""`python -m app.cli` is the `ias` command."""

from app.cli import app

app(prog_name="ias")
