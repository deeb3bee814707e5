"""Decoding policies: the next-token logits with the evidence and without it come in; the logits to decode from go out."""
