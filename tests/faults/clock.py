"""The clock stepped: in the suite's process, since a real one's cannot be stepped without the machine's."""

import subprocess
import sys

FILE = "tests/api/attempts/test_clock_steps.py"


def main() -> int:
    """Run the tests of the clock; 0 if they pass."""
    return subprocess.run([sys.executable, "-m", "pytest", FILE], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
