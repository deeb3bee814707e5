"""The pages beside the chat: library, experts, evaluate, settings. Each is drawn by ``show`` of the module of its name.

A page asks ``context`` what exists for whoever looks at it, and draws what the Python API says; what takes long runs in ``jobs``.
The folder is not called ``pages``, because Streamlit takes one of that name for pages of its own.
"""
