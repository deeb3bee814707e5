"""Which passages each sentence rests on, and whether they support it."""
