"""What was asked and answered, kept on disk for whoever asked it: listed, reopened, exported, and judged by thumbs."""
