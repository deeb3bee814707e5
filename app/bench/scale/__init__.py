"""Search at scale: our embedded store beside other ways to hold the same vectors, each in a process of its own."""
