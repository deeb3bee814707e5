"""What the answerer asks for text, whether the model is held here or served elsewhere."""
