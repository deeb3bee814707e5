"""Where vectors and passages are kept: one narrow protocol over Qdrant, embedded or on a server.

A store holds the points of one slice. Scores are never combined here: a store returns candidates with the raw dense and
BM25 scores of each, and the rooms to the right decide what they are worth.
"""
