"""Two connections at once, one statement at a time: cases, schedules, and an independent checker."""
