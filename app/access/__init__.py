"""Who may see what: API keys in, principals out; what a principal may not see does not exist for it."""
