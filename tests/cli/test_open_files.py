"""A process for many sockets may open as many files as the system lets it."""

import resource
import subprocess
import sys

SCRIPT = """
import resource
from app.cli.open_files import allow_many
_, most = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (64, most))
allow_many()
print(*resource.getrlimit(resource.RLIMIT_NOFILE))
"""


def test_the_limit_is_raised_to_the_hard_one() -> None:
    shown = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    assert shown.stdout.split() == [str(most), str(most)]
