"""Every way in which a model's settings can make transformers fetch or run what is not its weights.

Loading (tests/models/test_foreign_code.py) and pulling (tests/hub/test_foreign_settings.py) are tried on each.
"""

KERNEL = "evil/kernel"
ASKS = f"asks for '{KERNEL}' on the Hub"
HIDES = "gives settings other names (attribute_map)"
ELSEWHERE = "which is not one of the model's files"

# refused at both doors: {what: (file, its settings, a part of the message)}
REFUSED = {
    "a kernel for attention": ("config.json", {"attn_implementation": KERNEL}, ASKS),
    "at a revision": ("config.json", {"_attn_implementation": f"{KERNEL}@main"}, "'evil/kernel@main'"),
    "a function of it": ("config.json", {"attn_implementation": f"{KERNEL}:run"}, "'evil/kernel:run'"),
    "behind a wrapper": ("config.json", {"attn_implementation": f"paged|{KERNEL}"}, "'paged|evil/kernel'"),
    "for a part of the model": ("config.json", {"attn_implementation": {"": "eager", "text_config": KERNEL}}, ASKS),
    "in a nested config": ("config.json", {"text_config": {"attn_implementation": KERNEL}}, ASKS),
    "in a list of configs": ("config.json", {"towers": [{"attn_implementation": KERNEL}]}, ASKS),
    "a kernel for experts": ("config.json", {"text_config": {"experts_implementation": KERNEL}}, ASKS),
    "under the internal name": ("config.json", {"_attn_implementation_internal": KERNEL}, ASKS),
    "in the generation config": ("generation_config.json", {"attn_implementation": KERNEL}, ASKS),
    "in the config of a version": ("config.4.0.0.json", {"attn_implementation": KERNEL}, ASKS),
    "a backbone": ("config.json", {"backbone": KERNEL}, ASKS),
    "a backbone by timm": ("config.json", {"backbone": f"hf-hub:{KERNEL}"}, "'hf-hub:evil/kernel'"),
    "a backbone of a part": ("config.json", {"vision_config": {"backbone": KERNEL}}, ASKS),
    "an architecture by timm": ("config.json", {"architecture": f"hf_hub:{KERNEL}"}, "'hf_hub:evil/kernel'"),
    "a processor's audio tokenizer": (
        "processor_config.json",
        {"audio_tokenizer": {"audio_tokenizer_class": "DacModel", "audio_tokenizer_name_or_path": KERNEL}},
        ASKS,
    ),
    "another name": ("config.json", {"attribute_map": {"a": "_attn_implementation_internal"}, "a": KERNEL}, HIDES),
    "another name, nested": ("config.json", {"text_config": {"attribute_map": {"a": "b"}}}, HIDES),
    "another name, below a map": ("config.json", {"auto_map": {"attribute_map": {"a": "b"}}}, HIDES),
    "weights outside": ("model.safetensors.index.json", {"weight_map": {"a": "../secret.safetensors"}}, ELSEWHERE),
    "weights that are a pickle": ("model.safetensors.index.json", {"weight_map": {"a": "optimizer.pt"}}, ELSEWHERE),
    "a weights file outside": ("config.json", {"transformers_weights": "../secret.safetensors"}, ELSEWHERE),
    "another index": ("config.json", {"transformers_weights": "a.safetensors.index.json"}, ELSEWHERE),
}

# classes of a module `strange`, which only `trust_remote_code` runs: {what: (file, its settings)}
NAMED = {
    "the config": ("config.json", {"auto_map": {"AutoConfig": "strange.Config", "AutoModel": "strange.Model"}}),
    "a nested config": ("config.json", {"tower": {"auto_map": {"AutoModelForCausalLM": "strange.Model"}}}),
    "the tokenizer's settings": ("tokenizer_config.json", {"auto_map": {"AutoTokenizer": [None, "strange.Fast"]}}),
    "a tokenizer in an old form": ("tokenizer_config.json", {"auto_map": ["strange.Slow", None]}),
    "the image processor": ("preprocessor_config.json", {"auto_map": {"AutoImageProcessor": "strange.Processor"}}),
    "the processor": ("processor_config.json", {"auto_map": {"AutoProcessor": "strange.Processor"}}),
    "a processor in the processor": ("processor_config.json", {"image_processor": {"auto_map": {"A": "strange.A"}}}),
    "the generation config": ("generation_config.json", {"auto_map": {"A": "strange.A"}}),
    "a pipeline": ("config.json", {"custom_pipelines": {"greet": {"impl": "strange.Greet", "pt": ["AutoModel"]}}}),
}
