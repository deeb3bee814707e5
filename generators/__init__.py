"""In: a question and its evidence. Out: a checked answer.

The language model, decoding policies, attribution, support checks, the verdict, and the answerer that runs them live here.
"""
