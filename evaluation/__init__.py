"""In: runs, judgements and answers, as data or as functions. Out: numbers with intervals.

BEIR sets, TREC runs, metrics, significance and reports live here. No other room is imported.
"""
