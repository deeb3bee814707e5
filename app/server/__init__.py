"""The HTTP server: requests in, what ``Symposium`` answers out."""
