"""The gate's benchmark: written questions, trivia and domain questions in; what each gate saves, skips and costs out."""
