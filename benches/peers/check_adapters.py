"""Trains adapters with annotc on tiny random models and loads what it leaves with PEFT, onnx and onnxruntime.

    python benches/peers/check_adapters.py target/debug/annotc     # with torch, optimum-onnx, peft, onnx, onnxruntime

For each model: it is exported with Optimum, `annotc build` tunes it, `peft.PeftModel.from_pretrained` puts `adapter/` on
the PyTorch model, and its logits are compared with those of the merged `model.onnx` in Python's onnxruntime, which
`onnx.checker` checks first and Optimum loads.
"""

import json
import pathlib
import subprocess
import sys
import tempfile

import numpy
import onnx
import onnxruntime
import peft
import torch
import transformers
from optimum.exporters.onnx import main_export
from optimum.onnxruntime import ORTModelForCausalLM, ORTModelForSequenceClassification
from tokenizers import Tokenizer, models, pre_tokenizers, processors

WORDS = "lost stolen missing gone refund return money back open new account join please today now card the my".split()
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
VALUES = ["lost", "refund", "open"]
CLASSIFY = "task classify topic from text"
GENERATE = "task generate from answer"


def small(kind, **more):
    sizes = dict(vocab_size=64, hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4)
    sizes |= dict(max_position_embeddings=64, pad_token_id=0) | more
    return kind(**sizes)


def bert(kind):
    return kind(small(transformers.BertConfig, num_labels=3))


def llama():
    return transformers.LlamaForCausalLM(
        small(transformers.LlamaConfig, num_key_value_heads=2, bos_token_id=2, eos_token_id=3)
    )


def gpt2():
    config = transformers.GPT2Config(
        vocab_size=64, n_embd=32, n_layer=2, n_head=4, n_positions=64, bos_token_id=2, eos_token_id=3
    )
    return transformers.GPT2LMHeadModel(config)


CASES = {
    "bert": (lambda: bert(transformers.BertForSequenceClassification), "text-classification", CLASSIFY, "rank 4; alpha 8"),
    "bert-dora": (
        lambda: bert(transformers.BertForSequenceClassification), "text-classification", CLASSIFY,
        'rank 4; dora on; targets ["query", "attention.output.dense"]',
    ),
    "bert-features": (lambda: bert(transformers.BertModel), "feature-extraction", CLASSIFY, "rank 4; rslora on; alpha 3"),
    "llama": (llama, "text-generation-with-past", GENERATE, "rank 4; alpha 8"),
    "llama-all": (llama, "text-generation-with-past", GENERATE, 'rank 2; dora on; targets "*"'),
    "gpt2": (gpt2, "text-generation-with-past", GENERATE, "rank 4; alpha 8; rslora on"),
    "gpt2-dora": (gpt2, "text-generation-with-past", GENERATE, "rank 4; dora on"),
}

SPEC = """annot 1
source notes {{ path "notes.jsonl"; license "CC0-1.0"; fields {{ text: string; topic: string }} }}
label topic: choice {{ lost; refund; open }}
template answer: completion {{ prompt "{{{{ text }}}}"; completion " {{{{ topic }}}}" }}
dataset desk {{ from notes; label topic = topic; split train 100%; write {write} }}
model base {{ onnx "base" }}
train run {{
  model base
  data desk
  {task}
  tune lora {{ {lora} }}
  length 32 tokens
  epochs 4
  batch 8
  rate 2e-2
}}
"""


def tokenizer():
    vocabulary = {word: at for at, word in enumerate(SPECIAL + WORDS)}
    inner = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    inner.pre_tokenizer = pre_tokenizers.Whitespace()
    inner.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=inner, pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]",
        bos_token="[CLS]", eos_token="[SEP]", model_max_length=64,
    )


def note(at):
    value = at % 3
    return {"text": f"{WORDS[4 * value + at // 3 % 4]} {WORDS[12 + at % 6]} {WORDS[12 + at // 2 % 6]}", "topic": VALUES[value]}


def logits(path, ids):
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    feeds = {}
    for put in session.get_inputs():
        if put.name.startswith("past_key_values"):
            feeds[put.name] = numpy.zeros((ids.shape[0], put.shape[1], 0, put.shape[3]), numpy.float32)
        elif put.name == "position_ids":
            feeds[put.name] = numpy.tile(numpy.arange(ids.shape[1]), (ids.shape[0], 1))
        elif put.name == "token_type_ids":
            feeds[put.name] = numpy.zeros_like(ids)
        else:
            feeds[put.name] = ids if put.name == "input_ids" else numpy.ones_like(ids)
    return session.run(["logits"], feeds)[0]


def expected(model, adapter, ids):
    """The logits of PyTorch's model with the adapter; of features, those of the head that the adapter's file holds."""
    model = peft.PeftModel.from_pretrained(model, adapter).eval()
    with torch.no_grad():
        result = model(input_ids=torch.tensor(ids), attention_mask=torch.ones(ids.shape, dtype=torch.long))
    if hasattr(result, "logits"):
        return result.logits.numpy(), model
    from safetensors.torch import load_file

    head = load_file(adapter / "adapter_model.safetensors")
    weight, bias = (head[f"base_model.model.classifier.{part}"] for part in ("weight", "bias"))
    return (result.last_hidden_state.mean(1) @ weight.T + bias).numpy(), model


def case(annotc, name, folder):
    make, task, learns, lora = CASES[name]
    torch.manual_seed(3)
    model = make().eval()
    torch_folder, base = folder / "torch", folder / "base"
    model.save_pretrained(torch_folder)
    tokenizer().save_pretrained(torch_folder)
    main_export(str(torch_folder), base, task=task, do_validation=False)
    with open(folder / "notes.jsonl", "w") as notes:
        notes.writelines(json.dumps(note(at)) + "\n" for at in range(48))
    write = "parquet" if learns == CLASSIFY else "prompt_completion from answer"
    (folder / "spec.annot").write_text(SPEC.format(task=learns, lora=lora, write=write))
    subprocess.run([annotc, "build", "spec.annot", "--cache", "cache"], cwd=folder, check=True, capture_output=True)
    run = folder / "build/run"
    onnx.checker.check_model(str(run / "model.onnx"), full_check=True)
    ids = numpy.random.default_rng(5).integers(4, 22, (3, 7))
    merged, before = logits(run / "model.onnx", ids), None
    if task != "feature-extraction":
        before = numpy.abs(merged - logits(base / "model.onnx", ids)).max()
        loader = ORTModelForCausalLM if learns == GENERATE else ORTModelForSequenceClassification
        loader.from_pretrained(run)
    torch_logits, loaded = expected(type(model).from_pretrained(torch_folder), run / "adapter", ids)
    trained = {key for key in loaded.state_dict() if "lora_" in key}
    error = numpy.abs(merged - torch_logits).max()
    print(f"{name}: {len(trained)} tensors of adapters, largest difference of logits {error:.1e}, moved by training {before}")
    assert trained and error < 1e-4 and (before is None or before > 0.05), name


def main():
    annotc = pathlib.Path(sys.argv[1]).resolve()
    for name in sys.argv[2:] or CASES:
        with tempfile.TemporaryDirectory() as folder:
            case(annotc, name, pathlib.Path(folder))


if __name__ == "__main__":
    main()
