"""The retrieval benchmark: several BEIR sets in one corpus, one expert a set, beside one encoder over all of it."""
