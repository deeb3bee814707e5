"""The HTTP server: requests in, what ``Symposium`` answers out.

``app`` puts it together from one module a group of routes; ``service`` holds what they share; ``asking`` runs one question
in threads beside the event loop; ``turns`` is the queue in front of the language model. Nothing is decided here that the
Python API does not decide.
"""
