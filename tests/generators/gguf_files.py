"""GGUF files of a few kilobytes, written from the tiny models of the tests."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

NAMES = {
    "model.embed_tokens.weight": "token_embd.weight",
    "model.norm.weight": "output_norm.weight",
    "lm_head.weight": "output.weight",
}
PARTS = {
    "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}
PAIR = "Ā Ā"  # two zero bytes, which no text holds: the format wants one merge at least


def gguf_name(name: str) -> str:
    """What llama.cpp calls a weight of Qwen2."""
    if name in NAMES:
        return NAMES[name]
    _, _, layer, rest = name.split(".", 3)
    part, kind = rest.rsplit(".", 1)
    return f"blk.{layer}.{PARTS[part]}.{kind}"


def write_gguf(
    folder: Path, path: Path, *, template: bool = True, kind: str = "qwen2", leave_out: str = "", packing: str = "F32"
) -> Path:
    """Write the Qwen2 in ``folder`` as one GGUF file.

    ``leave_out`` names a weight that is not written; the others are packed as ``packing`` says, vectors never.
    """
    import gguf
    from safetensors.torch import load_file

    config = json.loads((folder / "config.json").read_text())
    writer = gguf.GGUFWriter(str(path), kind)
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(config["num_attention_heads"])
    writer.add_head_count_kv(config["num_key_value_heads"])
    writer.add_rope_freq_base(config["rope_parameters"]["rope_theta"])
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    _add_tokenizer(writer, folder, config, template=template)
    packed = gguf.GGMLQuantizationType[packing]
    for name, tensor in load_file(folder / "model.safetensors").items():
        if name != leave_out:
            values = tensor.float().numpy()
            stored = gguf.quants.quantize(values, packed) if values.ndim > 1 and packing != "F32" else values
            writer.add_tensor(gguf_name(name), stored, raw_dtype=packed if stored is not values else None)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _add_tokenizer(writer: Any, folder: Path, config: dict[str, Any], *, template: bool) -> None:
    from transformers import AutoTokenizer

    tokenizer: Any = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    tokens = tokenizer.convert_ids_to_tokens(range(len(tokenizer)))
    spare = [f"<spare{number}>" for number in range(config["vocab_size"] - len(tokens) - 1)]
    controls = set(tokenizer.all_special_tokens)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("qwen2")
    writer.add_token_list([*tokens, PAIR.replace(" ", ""), *spare])
    writer.add_token_types([3 if token in controls else 1 for token in tokens] + [1] + [5] * len(spare))
    writer.add_token_merges([PAIR])
    writer.add_bos_token_id(config["pad_token_id"])
    writer.add_eos_token_id(config["eos_token_id"])
    writer.add_pad_token_id(config["pad_token_id"])
    if template:
        writer.add_chat_template(tokenizer.chat_template)
