"""The demo panel: where its texts come from, what is asked of it, and how its answers are checked.

Takes packages that a fresh machine can install; gives the documents of three experts, ``sources.EXPERTS``.
"""
