"""In: a file, a folder, or a BEIR folder. Out: documents, one at a time, and a report of what could not be read.

``files`` finds the files and picks the reader; one module a format reads them: ``text``, ``markdown``, ``html``, ``pdf``,
``docx``, ``jsonl`` (BEIR too). Every reader is a function of a path and a callback for problems. ``indexes.llama`` offers
them as LlamaIndex readers.
"""
