"""The chat. In: a ``Symposium``. Out: a page in the browser, run by ``streamlit run app/chat/main.py``.

It adds no logic to the Python API: ``worker`` runs ``Symposium.stream``, ``turn`` collects what it reports, ``answers``,
``cards`` and ``route_panel`` turn that into inert HTML, ``conversation`` places it on the page.

Streamlit puts this folder on the import path, so no module here may bear the name of one of Python's own.
"""
