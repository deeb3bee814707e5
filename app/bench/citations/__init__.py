"""Citations beside one another: the same answers, attributed in several ways, measured against gold passages."""
