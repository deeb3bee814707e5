"""Keeping a slice like its sources: documents as they are read come in; what is new is embedded, what is gone is removed."""
