"""In: a file, a folder, or a BEIR folder. Out: documents, one at a time, and a report of what could not be read.

``walk`` finds the files and ``files`` picks the reader; one module a format reads them: ``text``, ``markdown``, ``html``,
``pdf``, ``docx``, ``jsonl`` (BEIR too), ``table`` (CSV and TSV). Every reader is a function of a path and a callback for
problems. ``limits`` says how much of anything is taken in, and ``isolated`` runs the large parsers in a process of their own.
``indexes.llama`` offers the readers as LlamaIndex readers.
"""
