"""Computes every score and rank of an exam again, from what `ias exam export` wrote.

It shares no code with the product and needs Python alone: `python grader.py EXPORT`. It knows papers with
single choices and the rules of UPSC, and refuses what it does not know.
"""

import json
import sys
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

Json = dict[str, Any]
Row = tuple[str, Json, Fraction]
DECIDED_BY_STAFF = ("void", "disqualified", "staff")  # No answer sheet shows why.
UNKNOWN = ("qualifying_percent", "group_percents", "section_percents", "session_group")


def hundredths(value: Fraction) -> Decimal:
    return (Decimal(value.numerator) / value.denominator).quantize(Decimal("0.01"), ROUND_HALF_UP)


def printed(raw: Fraction, factor: Fraction) -> Decimal:
    """UPSC writes a third as .34 and two thirds as .66, then stretches the marks, and rounds them again."""
    whole, rest = divmod(abs(raw), 1)
    cents = {Fraction(1, 3): 34, Fraction(2, 3): 66}.get(rest, int(hundredths(rest) * 100))
    return hundredths((1 if raw >= 0 else -1) * (whole + Fraction(cents, 100)) * factor) + Decimal(0)


def score(paper: Json, sheet: Json) -> tuple[Fraction, Decimal]:
    """The exact and the printed score of an answer sheet. Dropped questions stretch the marks of the rest."""
    keys = next(version["answers"] for version in paper["keys"] if version["number"] == sheet["key"])
    special = [paper[name] for name in UNKNOWN] + [section["choose"] for section in paper["sections"]]
    if paper["rounding"] != "upsc" or any(special):
        raise ValueError(f"There are no rules here for paper {paper['code']}.")
    raw, maximum, left = Fraction(0), Fraction(0), Fraction(0)
    for question, key, answer in zip(paper["questions"], keys, sheet["answers"], strict=True):
        maximum += Fraction(question["marks"]["correct"])
        if not key.get("dropped"):
            left += Fraction(question["marks"]["correct"])
            is_right = set(answer or ()) in map(set, key["accepted"])  # Two marked options are wrong.
            outcome = ("correct" if is_right else "incorrect") if answer else "unattempted"
            raw += Fraction(question["marks"][outcome])
        if question["type"] != "single_choice" or key.get("rule", paper["dropped"]) != "prorate":
            raise ValueError(f"There is no rule here for question {question['number']}.")
    return raw * maximum / left, printed(raw, maximum / left)


def compare(name: str, shown: Json, **computed: Any) -> Iterator[str]:
    for field, value in computed.items():
        if shown[field] != value:
            yield f"{name}: {field} is {shown[field]}, computed {value}"


def compare_ranks(rows: Sequence[Row], field: str) -> Iterator[str]:
    """A rank is one more than the number of better totals: 1, 2, 2, 4."""
    totals = sorted(total for _, _, total in rows)
    for name, shown, total in rows:
        yield from compare(name, shown, **{field: 1 + len(totals) - bisect_right(totals, total)})


def differences(exam: Json, candidates: Sequence[Json]) -> Iterator[str]:
    """Where the export shows another score, outcome or rank than is computed here."""
    if exam["tie_breaks"] != "none":
        raise ValueError("There are no rules here for tie-breaks.")
    merit = [paper["code"] for paper in exam["papers"] if paper["counts_for_merit"]]
    lists: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for each in candidates:
        name, sheets = each["roll_number"], {sheet["code"]: sheet for sheet in each["papers"]}
        sat = [paper for paper in exam["papers"] if paper["code"] in sheets]
        scores = {paper["code"]: score(paper, sheets[paper["code"]]) for paper in sat}
        decided = each["outcome"] in DECIDED_BY_STAFF
        for code, (exact, shown) in scores.items():
            yield from compare(f"{name}, {code}", sheets[code], score_exact=str(exact), score=str(shown))
            if not decided:
                lists["rank", code].append((f"{name}, {code}", sheets[code], exact))
        if decided or not set(merit) <= set(scores):
            expected = each["outcome"] if decided else "incomplete" if sat else "absent"
            yield from compare(name, each, outcome=expected, rank=None)
            continue
        yield from compare(name, each, outcome="ranked", total=str(sum(scores[code][1] for code in merit)))
        row = (name, each, sum((scores[code][0] for code in merit), Fraction(0)))
        lists["rank", ""].append(row)
        lists["category_rank", each["category"]].append(row)
        if each["pwbd"] is not None:
            lists["pwbd_rank", ""].append(row)
    for (field, _), rows in lists.items():
        yield from compare_ranks(rows, field)


if __name__ == "__main__":
    head, *lines = [json.loads(line) for line in Path(sys.argv[1]).read_text("utf-8").splitlines()]
    found = list(differences(head, lines))
    print(*found, f"{len(lines)} candidates, {len(found)} differences", sep="\n")
    sys.exit(1 if found else 0)
