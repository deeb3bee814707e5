"""Language models held in memory: files, number formats, key-value caches, log-probabilities."""
