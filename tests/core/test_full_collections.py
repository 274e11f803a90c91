"""Full garbage collections: held back while somebody asks for it, and as before afterwards."""

import gc

from app.core.full_collections import disabled


class TestHeldBack:
    def test_until_the_last_one_leaves(self) -> None:
        before = gc.get_threshold()
        with disabled():
            with disabled():
                pass
            assert gc.get_threshold()[:2] == before[:2]
            assert gc.get_threshold()[2] > 1_000 * before[2]
        assert gc.get_threshold() == before

    def test_no_full_one_happens_however_many_objects_there_are(self) -> None:
        with disabled():
            full = gc.get_stats()[2]["collections"]
            kept = [[number] for number in range(500_000)]
            assert gc.get_stats()[2]["collections"] == full
        assert len(kept) == 500_000
