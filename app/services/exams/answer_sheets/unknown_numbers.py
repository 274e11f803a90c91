"""Answer sheets whose roll number is not registered, or is almost that of another sheet."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field

from app.services.exams.answer_sheets.reading import AnswerSheet
from app.services.exams.answer_sheets.roll_numbers import RegisteredNumbers, UnknownRollNumbers, read_alike
from app.sheets.reports import MAX_REPORTED, RowError, RowWarning

ROLL_NUMBER = "roll_number"


@dataclass(slots=True)
class Findings:
    """What the report says of unknown roll numbers."""

    errors: list[RowError] = field(default_factory=list)
    warnings: list[RowWarning] = field(default_factory=list)


def unknown_numbers(
    unknown: Sequence[AnswerSheet],
    registered: Collection[str],
    in_file: Collection[str],
    treatment: UnknownRollNumbers,
) -> Findings:
    """Return an error or a warning for each sheet with an unknown roll number.

    There is no warning for an exam in which nobody is registered: all its candidates come from sheets.
    """
    findings = Findings()
    if not registered and treatment == "accept":
        return findings
    numbers = RegisteredNumbers(registered, in_file)
    for place, sheet in enumerate(unknown):
        # The report has no room for more, so that searching for them would take time for nothing.
        sentence = _resembling(sheet.roll_number, numbers) if place <= MAX_REPORTED else ""
        message = f"nobody is registered as {sheet.roll_number}{sentence}"
        if treatment != "accept":
            mend = "correct the roll number, or register the candidate first"
            mend += (
                "" if treatment == "error" else ", or accept unknown roll numbers (`unknown_roll_numbers`)"
            )
            findings.errors.append(RowError(sheet.row, ROLL_NUMBER, f"{message}; {mend}", file=sheet.file))
        else:
            findings.warnings.append(
                RowWarning(
                    sheet.row,
                    ROLL_NUMBER,
                    f"{message}; the sheet gets a new registration",
                    file=sheet.file,
                )
            )
    return findings


def _resembling(roll_number: str, numbers: RegisteredNumbers) -> str:
    found = numbers.resembling(roll_number)
    named = ", ".join(found.numbers)
    if found.reads_alike:
        return f", but {named} reads alike (O and 0, I and 1, hyphens, leading zeros)"
    if not found.numbers:
        return ", and no registered number is similar"
    return f"; the nearest registered number{'s are' if len(found.numbers) > 1 else ' is'} {named}"


def read_alike_in_file(sheets: Sequence[AnswerSheet]) -> Iterator[RowWarning]:
    """Return a warning for each sheet whose roll number reads like that of a sheet before it."""
    first: dict[str, AnswerSheet] = {}
    for sheet in sheets:
        other = first.setdefault(read_alike(sheet.roll_number), sheet)
        if other is not sheet and other.roll_number != sheet.roll_number:
            message = f"row {other.row} has {other.roll_number}, which reads alike; is it the same candidate?"
            yield RowWarning(sheet.row, ROLL_NUMBER, message, file=sheet.file)
