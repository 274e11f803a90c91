"""`python -m benchmarks.receipts`: the processor time of a receipt, beside that of reading the request.

The baseline is parsing and checking the body of the same save, in the same process and in turns with it.
"""

import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime
from uuid import uuid4

import orjson
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from app.core import receipts
from app.core.signing import Signer
from app.schemas.attempts import ResponsesIn

SIZES, ROUNDS = (1, 20, 200), 500


def main() -> None:
    table = Table("responses", "read the body, ms", "receipt, ms", "ratio", box=SIMPLE)
    for size in SIZES:
        baseline, receipt = measure(size)
        table.add_row(str(size), f"{baseline:.4f}", f"{receipt:.4f}", f"{receipt / baseline:.2f}")
    Console(highlight=False).print(table)


def measure(size: int) -> tuple[float, float]:
    """The medians of both in milliseconds."""
    response = {"revision": 1, "answer": ["a"], "time_spent_ms": 1000, "language": "en"}
    sent = [response | {"question_id": str(uuid4())} for _ in range(size)]
    body = orjson.dumps({"attempt_id": str(uuid4()), "lease": 1, "responses": sent})
    signer, attempt_id = Signer.derive("a secret of a benchmark", 1), uuid4()
    commands = [each.command() for each in ResponsesIn.model_validate(orjson.loads(body)).responses]

    def read() -> object:
        return [each.command() for each in ResponsesIn.model_validate(orjson.loads(body)).responses]

    def issue() -> object:
        facts = [receipts.response_facts(each, 1) for each in commands]
        return receipts.issue(signer, attempt_id, datetime.now(UTC), facts)

    times = [(timed(read), timed(issue)) for _ in range(ROUNDS)]
    baseline, receipt = zip(*times, strict=True)
    return statistics.median(baseline), statistics.median(receipt)


def timed(work: Callable[[], object]) -> float:
    """The processor time of one call in milliseconds."""
    began = time.process_time_ns()
    work()
    return (time.process_time_ns() - began) / 1e6


if __name__ == "__main__":
    main()
