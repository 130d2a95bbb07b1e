"""Order logic: pure functions and small machines; no I/O, no clock, no strategy."""
