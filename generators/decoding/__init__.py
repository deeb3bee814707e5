"""From logits to text: one answer token by token, or many short ones at once. Policies are in ``generators.policies``."""
