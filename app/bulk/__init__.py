"""Bulk encoding: documents in, vectors out, by many processes on one machine or on a Ray cluster; then added as always."""
