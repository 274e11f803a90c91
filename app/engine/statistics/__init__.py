"""Statistics of tests, questions and candidates: pure functions of numpy arrays. No I/O, no clock."""
