"""The backend of an IAS test series."""

import gc

COLLECT_EVERY = 20_000
"""The number of new objects after which the garbage collector looks for cycles. With Python's 700 it took 8 %
of the CPU of a save: what 64 open requests hold is not garbage, but each collection scanned it again. Of the
imports it took an eighth, and found nothing."""

gc.set_threshold(COLLECT_EVERY, *gc.get_threshold()[1:])
