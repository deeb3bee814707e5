"""One file a page; Streamlit runs it from top to bottom. Add a page here and name it in ``main``."""
