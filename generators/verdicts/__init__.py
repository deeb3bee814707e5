"""Whether to answer at all: signals, confidence, thresholds."""
