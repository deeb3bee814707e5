"""Language models behind a server that speaks OpenAI's protocol: messages go in; text comes out, and no logits.

``model`` is what others use, ``writer`` what writes answers with it. ``client`` repeats what may pass and gives up on the rest; ``exchange`` carries one request;
``grammar`` reads what comes back; ``refusals`` puts into words what went wrong.
"""
