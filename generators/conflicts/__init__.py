"""Conflict between sources: a question and its evidence come in; where passages answer it differently, the sides go out."""
