"""Makes tiny exports of the architectures that annotc trains, with the loss and the gradients that PyTorch has for them.

    python3 -m venv /tmp/exports-venv
    /tmp/exports-venv/bin/pip install torch transformers accelerate optimum-onnx onnx onnxscript onnxruntime
    /tmp/exports-venv/bin/python benches/peers/make_exports.py /tmp/exports [NAME …]
    ANNOTC_EXPORTS=/tmp/exports cargo test --lib oracles::every_export -- --nocapture

Each model has random weights, a few layers and at most 64 features. It is exported by Optimum at its default
settings (TorchScript), and by PyTorch's own exporter (`dynamo=True`), whose graphs are other ones, at its default operator
set and at 23; and by Optimum once more with the weights as they are before any training (`fresh`). A NAME is `bert` or,
for one export alone, `bert-optimum`, `bert-fresh`, `bert-dynamo`, `bert-dynamo23`. Beside each
`model.onnx` stand `config.json` and `reference.json`: inputs, labels, the loss, and for every parameter the norm of its
gradient and samples of it. Parameters are found in the export by the path that their name keeps or, where the exporter
folded a transposed weight under a name of its own, by value.

A CPU is enough. Nothing is downloaded but the packages.
"""

import json
import pathlib
import shutil
import sys
import traceback

import numpy
import onnx
import torch
import transformers
from onnx import numpy_helper
from optimum.exporters.onnx import onnx_export_from_model

VOCABULARY = 320
LABELS = 5
BASE = dict(vocab_size=VOCABULARY, hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=64,
            max_position_embeddings=64, type_vocab_size=2, num_labels=LABELS, pad_token_id=0)
DECODER = dict(BASE, num_key_value_heads=2, bos_token_id=1, eos_token_id=2)

# Name: task, class of the configuration, its settings, class of the model.
MODELS = {
    "bert": ("seqcls", "BertConfig", BASE, "BertForSequenceClassification"),
    "distilbert": ("seqcls", "DistilBertConfig", dict(vocab_size=VOCABULARY, dim=32, n_layers=2, n_heads=4, hidden_dim=64,
                   max_position_embeddings=64, num_labels=LABELS), "DistilBertForSequenceClassification"),
    "roberta": ("tokcls", "RobertaConfig", BASE, "RobertaForTokenClassification"),
    "albert": ("seqcls", "AlbertConfig", dict(BASE, embedding_size=16), "AlbertForSequenceClassification"),
    "electra": ("tokcls", "ElectraConfig", dict(BASE, embedding_size=16), "ElectraForTokenClassification"),
    "mpnet": ("seqcls", "MPNetConfig", dict(BASE, pad_token_id=1), "MPNetForSequenceClassification"),
    "deberta-v2": ("seqcls", "DebertaV2Config", dict(BASE, relative_attention=True, pos_att_type=["p2c", "c2p"],
                   position_buckets=8, norm_rel_ebd="layer_norm", share_att_key=True, position_biased_input=False,
                   type_vocab_size=0), "DebertaV2ForSequenceClassification"),
    "modernbert": ("seqcls", "ModernBertConfig", dict(BASE, num_hidden_layers=4, local_attention=8, bos_token_id=1,
                   eos_token_id=2, cls_token_id=1, sep_token_id=2), "ModernBertForSequenceClassification"),
    "gpt2": ("lm", "GPT2Config", dict(vocab_size=VOCABULARY, n_embd=32, n_layer=2, n_head=4, n_positions=64,
             bos_token_id=1, eos_token_id=2), "GPT2LMHeadModel"),
    "llama": ("lm", "LlamaConfig", DECODER, "LlamaForCausalLM"),
    "qwen2": ("lm", "Qwen2Config", dict(DECODER, tie_word_embeddings=True), "Qwen2ForCausalLM"),
    "gemma": ("lm", "GemmaConfig", dict(DECODER, head_dim=8), "GemmaForCausalLM"),
    "phi3": ("lm", "Phi3Config", DECODER, "Phi3ForCausalLM"),
}
TASKS = {"seqcls": "text-classification", "tokcls": "token-classification", "lm": "text-generation-with-past"}


def build(name, fresh=False):
    """The model in evaluation mode, with weights that are all different, so that no parameter is found by chance; or as
    it is before any training, when norms and biases of all layers are equal and exporters merge them."""
    task, config_class, settings, model_class = MODELS[name]
    torch.manual_seed(7)
    config = getattr(transformers, config_class)(**settings)
    model = getattr(transformers, model_class)(config).eval().float()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * (0 if fresh else 0.1))
    return task, model


def batch(task, pad):
    """Four texts of different lengths, padded, with labels."""
    generator = torch.Generator().manual_seed(11)
    lengths = [12, 9, 5, 12]
    ids = torch.randint(3, VOCABULARY, (4, 12), generator=generator)
    mask = torch.zeros_like(ids)
    for row, length in enumerate(lengths):
        mask[row, :length] = 1
    ids = torch.where(mask == 1, ids, torch.full_like(ids, pad))
    if task == "seqcls":
        labels = torch.randint(0, LABELS, (4,), generator=generator)
    elif task == "tokcls":
        labels = torch.where(mask == 1, torch.randint(0, LABELS, (4, 12), generator=generator), -100)
    else:
        labels = torch.where((mask == 1) & (torch.arange(12) >= 4), ids, -100)
    return ids, mask, labels


def gradients(task, model, ids, mask, labels):
    """The mean cross-entropy of PyTorch and its gradient for every parameter."""
    logits = model(input_ids=ids, attention_mask=mask).logits
    if task == "lm":
        logits, labels = logits[:, :-1], labels[:, 1:]
    loss = torch.nn.functional.cross_entropy(logits.reshape(-1, logits.shape[-1]), labels.reshape(-1), ignore_index=-100)
    model.zero_grad()
    loss.backward()
    return loss.item(), {n: p.grad.numpy().copy() for n, p in model.named_parameters() if p.grad is not None}


def located(graph, model):
    """Where each parameter lies in the export: by name, else by value, as it is or transposed. Gemma's norms scale by
    1 + weight, and exporters fold the sum, which has the weight's gradient."""
    tensors = {t.name: numpy_helper.to_array(t) for t in graph.initializer}
    for node in graph.node:
        for attribute in node.attribute if node.op_type == "Constant" else []:
            if attribute.name == "value":
                tensors[node.output[0]] = numpy_helper.to_array(attribute.t)
    places, missing = {}, []
    for name, parameter in model.named_parameters():
        value = parameter.detach().numpy()
        forms = [(value, False)] + ([(value.T, True)] if value.ndim == 2 else [(1 + value, False)])
        uniform = (value == value.flat[0]).all()
        candidates = [name] if name in tensors else [] if uniform else list(tensors)
        found = [(c, transposed) for c in candidates for form, transposed in forms
                 if tensors[c].shape == form.shape and numpy.array_equal(tensors[c], form)]
        if found:
            places[found[0][0]] = (name, found[0][1])
        else:
            missing.append(name)
    return places, missing


def reference(folder, task, model, ids, mask, labels, loss, grads):
    proto = onnx.load(folder / "model.onnx")
    places, missing = located(proto.graph, model)
    # What was merged with others has no tensor of its own in the file, and is listed by PyTorch's name.
    places |= {name: (name, False) for name in missing}
    listed = {}
    for initializer, (name, transposed) in places.items():
        if name not in grads:
            continue
        gradient = grads[name].T if transposed else grads[name]
        flat = numpy.ascontiguousarray(gradient).reshape(-1).astype(numpy.float64)
        at = numpy.unique(numpy.linspace(0, flat.size - 1, 16).astype(int))
        listed[initializer] = dict(torch_name=name, shape=list(gradient.shape), l2=float(numpy.sqrt((flat**2).sum())),
                                   sample_index=at.tolist(), sample=flat[at].tolist())
    content = dict(
        task=task, inputs=dict(input_ids=ids.tolist(), attention_mask=mask.tolist()), labels=labels.tolist(),
        ignore_index=-100, labels_shifted_inside_loss=task == "lm", loss=loss,
        graph_inputs=[i.name for i in proto.graph.input], gradients=listed, parameters_not_found_by_value=missing,
        opset=[(o.domain, o.version) for o in proto.opset_import],
        framework=f"torch {torch.__version__}, transformers {transformers.__version__}, fp32, eval mode, mean reduction")
    (folder / "reference.json").write_text(json.dumps(content))
    operators = sorted({node.op_type for node in proto.graph.node})
    print(f"{folder.name}: opset {proto.opset_import[0].version}, {len(proto.graph.node)} nodes, {len(listed)} gradients, "
          f"missing {missing}\n    {' '.join(operators)}", flush=True)


def by_optimum(model, task, folder, *_):
    onnx_export_from_model(model, folder, task=TASKS[task], do_validation=False)


def by_dynamo(model, task, folder, ids, mask, opset=None):
    """PyTorch's exporter, on what the task feeds, without a cache."""
    sizes = {0: torch.export.Dim("batch", min=2, max=64), 1: torch.export.Dim("sequence", min=2, max=32)}
    feeds = dict(input_ids=ids, attention_mask=mask)
    shapes = dict(input_ids=sizes, attention_mask=sizes)
    if task == "lm":
        feeds, shapes = dict(feeds, use_cache=False), dict(shapes, use_cache=None)
    torch.onnx.export(model, (), folder / "model.onnx", kwargs=feeds, dynamo=True, verbose=False, external_data=False,
                      opset_version=opset, input_names=["input_ids", "attention_mask"], output_names=["logits"],
                      dynamic_shapes=shapes)
    model.config.architectures = [type(model).__name__]
    model.config.save_pretrained(folder)


def by_dynamo_23(*arguments):
    """The same at the operator set that has attention, root-mean-square normalization and rotary embedding."""
    by_dynamo(*arguments, opset=23)


EXPORTERS = {"optimum": by_optimum, "fresh": by_optimum, "dynamo": by_dynamo, "dynamo23": by_dynamo_23}


def main(target, names):
    for name in MODELS:
        chosen = {e: f for e, f in EXPORTERS.items() if not names or {name, f"{name}-{e}"} & set(names)}
        if not chosen:
            continue
        for exporter, export in chosen.items():
            fresh = exporter == "fresh"
            task, model = build(name, fresh)
            ids, mask, labels = batch(task, getattr(model.config, "pad_token_id", None) or 0)
            loss, grads = gradients(task, model, ids, mask, labels)
            folder = target / f"{name}-{exporter}"
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            try:
                export(build(name, fresh)[1], task, folder, ids, mask)
                reference(folder, task, model, ids, mask, labels, loss, grads)
            except Exception as error:  # one exporter that fails must not end the others' work
                shutil.rmtree(folder)
                print(f"{folder.name}: not exported: {type(error).__name__}: {error}"[:600], flush=True)
                traceback.print_exc(limit=-2)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]), sys.argv[2:])
