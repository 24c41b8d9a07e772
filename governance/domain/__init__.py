"""Pure rules: no clock, no IO, no vendor; the standard library alone."""
