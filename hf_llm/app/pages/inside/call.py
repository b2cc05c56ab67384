"""The lines of Python behind each part of the page "inside"."""

from hf_llm.app.views import shortened


def call(source: str, text: str, part: str, layer: int, head: int, token: int, off: str, place: str) -> str:
    """Return the lines of Python that compute what a part of the page shows; `source` is the model's."""
    text = shortened(text)
    attention = f"layer.{layer}.attention"
    edit, without = {
        "nothing": ("None", ""),
        "head": (f"without_heads({layer}, [{head}])", ", off='head'"),
        "heads": (f"without_heads({layer}, heads)", ", off='heads'"),
        "mlp": (f"without_mlp({layer})", ", off='mlp'"),
    }[off]
    field = "v" if place == "qkv" else place
    imports, lines = {
        "prediction": ("", f"logits, _ = model(ids)\nprint(logits[0, {token}].softmax(-1).topk(10))"),
        "embedding": (
            "from hf_llm.explain.renumbering import renumbered\n",
            "logits, seen = model(ids, capture=['embedding.*'])\norder = torch.randperm(model.wte.num_embeddings)\n"
            "print((renumbered(model, ids, order, move_rows=True) - logits).abs().max())",
        ),
        "attention": (
            "",
            f"_, seen = model(ids, capture=['{attention}.*'])\nprint(seen['{attention}.weights'][0, {head}, {token}])",
        ),
        "stream": (
            "",
            f"_, seen = model(ids, capture=['layer.*.output', 'layer.{layer}.mlp.activation'])\n"
            f"for name, value in seen.items():\n    print(name, value[0, {token}].norm())",
        ),
        "lens": (
            "from hf_llm.explain.logit_lens import logit_lens\n",
            f"for name, logits in logit_lens(model, ids):\n    print(name, logits[0, {token}].softmax(-1).max(-1))",
        ),
        "vectors": (
            "from hf_llm.explain.strips import strips\n",
            f"found = strips(model, ids, {layer}, {head}{without})\nprint(found.{field}[{token}])",
        ),
        "off": (
            "from hf_llm.explain.switching_off import without_heads, without_mlp\n",
            ("" if off != "heads" else f"heads = range(model.h[{layer}].attn.n_head)\n")
            + f"logits, _ = model(ids, edit={edit})\nprint(logits[0, {token}].softmax(-1).topk(10))",
        ),
    }[part]
    return (
        "import torch\n\nfrom hf_llm import GPT2Explained, load_causal_lm, load_tokenizer\n" + imports +
        "from hf_llm.tokenization.tokenizer import encode_prompt\n\n"
        f"model = GPT2Explained.from_transformers(load_causal_lm({source!r}))\n"
        f"ids = torch.tensor([encode_prompt(load_tokenizer({source!r}), {text!r})])\n" + lines
    )  # fmt: skip
