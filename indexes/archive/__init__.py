"""In: slices in their folders and stores. Out: one file that holds them, checked by checksum, and slices made from it again.

``slice_file`` exports and imports one slice; ``writer`` and ``reader`` are the file; ``staging`` puts what was imported in
its place at one moment; ``copying`` copies points from one store to another.
"""
