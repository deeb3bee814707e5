"""Measuring: takes questions with known answers and the functions to be measured; gives numbers with intervals.

In come BEIR folders (``beir``), TREC run files (``runs``), questions with a contradicting context (``decoding``), and
functions that search or answer: this room imports no other room but ``indexes.errors``, it is handed what it measures.
Out come tables (``report``) whose every number names its count, its 95 % interval and, beside a baseline, its p value.

``metrics`` scores rankings with ir-measures and ``answers`` scores texts; ``intervals`` holds the statistics and
``comparison`` applies them to any scores per item; ``experiment`` evaluates runs and writes the files;
``manifest`` records what produced them; ``files`` reads lines and writes whole files.
"""
