"""Papers for a dispute: what is refused, and the key by which the exam is released."""

from pathlib import Path

import pytest

from rehearsal.dispute.options import DISPUTED
from rehearsal.dispute.paper import LETTERS, UnsuitablePaper, read_paper

HEADER = "question,option_a,option_b,option_c,option_d,key"


def write(folder: Path, *keys: str, header: str = HEADER) -> Path:
    file = folder / "paper.csv"
    rows = [f"Question {number},1,2,3,4,{key}" for number, key in enumerate(keys, start=1)]
    file.write_text("\n".join([header, *rows]), "utf-8")
    return file


@pytest.mark.parametrize("right", ["", *LETTERS])
def test_the_disputed_question_alone_is_keyed_wrongly(tmp_path: Path, right: str) -> None:
    questions = read_paper(write(tmp_path, *["c"] * (DISPUTED - 1), right, ""))
    disputed = questions[DISPUTED - 1]

    assert disputed.right == right
    assert disputed.released in set(LETTERS) - {right}
    assert [each.released for each in questions if each is not disputed] == ["c"] * (DISPUTED - 1) + [""]


@pytest.mark.parametrize(
    ("keys", "header", "sentence"),
    [
        (["a"] * 79, HEADER, "paper.csv has 79 questions; the dispute is about 80."),
        (["a"] * 80 + ["e"], HEADER, "paper.csv: the key of question 81 is none of a, b, c, d."),
        (["a"] * 80, HEADER.replace("option_d", "d"), "paper.csv has no column 'option_d'."),
    ],
    ids=["too short", "no such option", "no column"],
)
def test_an_unsuitable_paper_is_refused(tmp_path: Path, keys: list[str], header: str, sentence: str) -> None:
    with pytest.raises(UnsuitablePaper) as refused:
        read_paper(write(tmp_path, *keys, header=header))
    assert str(refused.value) == sentence
