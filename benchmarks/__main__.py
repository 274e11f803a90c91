"""`python -m benchmarks NAME`: runs one of the benchmarks. Without a name it lists them."""

import runpy
import sys
from pathlib import Path

RUNS = 'if __name__ == "__main__":'


def names() -> dict[str, str]:
    """The modules that can be run, with the first line of their documentation."""
    modules = sorted(Path(__file__).parent.glob("[a-z]*.py"))
    texts = {module.stem: module.read_text() for module in modules}
    return {name: text.partition("\n")[0].strip('"') for name, text in texts.items() if RUNS in text}


def main() -> None:
    """Run the benchmark with the options that follow its name."""
    known = names()
    if len(sys.argv) < 2 or sys.argv[1] not in known:
        raise SystemExit("\n".join(known.values()))
    name = sys.argv.pop(1)
    runpy.run_module(f"benchmarks.{name}", run_name="__main__", alter_sys=True)


main()
