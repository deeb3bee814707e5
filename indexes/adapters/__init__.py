"""What makes an expert of a base encoder: base vectors come in, the expert's vectors go out; kilobytes, not a model."""
