"""In: tables and reliabilities. Out: figures as SVG text, and one page that holds them.

The SVG is written here, without a drawing library: three kinds of figure are needed, and text that stays text, follows
the reader's light or dark scheme and can be read aloud is what such libraries do not write.
"""
