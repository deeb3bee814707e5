"""Benchmarks: ``symposia bench speed`` and ``symposia bench decoding``. Each prints its numbers with n and spread."""
