"""In: files and BEIR folders. Out: slices that can be searched.

Reading, splitting, encoders, the Qdrant store, the slice and its manifest live here; so do the errors that all rooms use.
"""
