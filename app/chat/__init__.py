"""The chat. In: a ``Symposium``. Out: a page in the browser, run by ``streamlit run app/chat/main.py``.

It adds no logic to the Python API: ``asking`` runs ``Symposium.stream`` in a ``worker`` and records the answer, ``turn`` collects
what it reports, ``answers``, ``cards`` and ``route_panel`` turn that into inert HTML, ``view`` places it on the page,
``current`` is the conversation that is shown, ``desk`` holds what is being answered, and ``conversation`` is the page. The
other pages are in ``panes``.

Streamlit puts this folder on the import path, so no module here may bear the name of one of Python's own.
"""
