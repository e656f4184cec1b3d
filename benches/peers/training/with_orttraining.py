"""Trains a model with onnxruntime-training, as many steps at a time as it is told:

    with_orttraining.py MODEL classify|generate all|lora BATCH LENGTH THREADS

The model is the folder's model.onnx, with a pooled head for `classify` and the same layers and rank of adapters as
`benches/training/ours.rs`. Its gradient graph, its AdamW and the clipping to norm 1 are those of `artifacts.generate_artifacts`. Each line of standard input
is a number of steps; the loss of the last is printed when they are done. Made for onnxruntime-training-cpu 1.19.2, onnx 1.16.2 and numpy 1.26.4.
"""

import os
import pathlib
import sys
import tempfile

import numpy
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.training import api, artifacts, onnxblock

CLASSES, RANK, SCALE = 16, 8, 2.0


def add(graph, name, values):
    graph.initializer.append(numpy_helper.from_array(numpy.asarray(values), name))
    return name


def node(graph, op, inputs, output, **attributes):
    graph.node.append(helper.make_node(op, inputs, [output], name=output, **attributes))
    return output


def add_head(graph, hidden, random):
    """The mean of the features and a linear layer."""
    mask = node(graph, "Cast", ["attention_mask"], "head/mask", to=TensorProto.FLOAT)
    mask = node(graph, "Unsqueeze", [mask, add(graph, "head/last", numpy.array([-1]))], "head/column")
    one = add(graph, "head/one", numpy.array([1]))
    kept = node(graph, "Mul", ["last_hidden_state", mask], "head/kept")
    total = node(graph, "ReduceSum", [kept, one], "head/total", keepdims=0)
    count = node(graph, "ReduceSum", [mask, one], "head/count", keepdims=0)
    mean = node(graph, "Div", [total, count], "head/mean")
    weight = add(graph, "classifier.weight", random.normal(0, 0.02, (hidden, CLASSES)).astype(numpy.float32))
    bias = add(graph, "classifier.bias", numpy.zeros(CLASSES, numpy.float32))
    return node(graph, "Gemm", [mean, weight, bias], "flat_logits"), [weight, bias]


def add_shift(graph, vocabulary):
    """The logits of all tokens but the last, one row each."""
    begin, end, axis = (add(graph, f"shift/{name}", numpy.array([at])) for name, at in [("begin", 0), ("end", -1), ("axis", 1)])
    rows = node(graph, "Slice", ["logits", begin, end, axis], "shift/rows")
    return node(graph, "Reshape", [rows, add(graph, "shift/shape", numpy.array([-1, vocabulary]))], "flat_logits")


def add_adapters(graph, targets, random):
    names, sizes = [], {one.name: one.dims for one in graph.initializer}
    for at, linear in enumerate(list(graph.node)):
        if linear.op_type != "MatMul" or not any(target in linear.name for target in targets):
            continue
        rows, columns = sizes[linear.input[1]]
        down = add(graph, f"{linear.name}/down", random.normal(0, 0.02, (rows, RANK)).astype(numpy.float32))
        up = add(graph, f"{linear.name}/up", numpy.zeros((RANK, columns), numpy.float32))
        scale = add(graph, f"{linear.name}/scale", numpy.array(SCALE, numpy.float32))
        output, base = linear.output[0], f"{linear.output[0]}/base"
        linear.output[0] = base
        inner, product, scaled = (f"{linear.name}/{part}" for part in ("inner", "product", "scaled"))
        added = [
            helper.make_node("MatMul", [linear.input[0], down], [inner], name=inner),
            helper.make_node("MatMul", [inner, up], [product], name=product),
            helper.make_node("Mul", [product, scale], [scaled], name=scaled),
            helper.make_node("Add", [base, scaled], [output], name=f"{linear.name}/sum"),
        ]
        place = list(graph.node).index(linear) + 1
        for offset, one in enumerate(added):
            graph.node.insert(place + offset, one)
        names += [down, up]
    return names


def build(folder, task, tune):
    model = onnx.load(folder / "model.onnx")
    graph, random = model.graph, numpy.random.default_rng(1)
    for one in graph.node:
        # Its gradient reads what it saves, which an export leaves out.
        if one.op_type == "LayerNormalization":
            one.output.extend(f"{one.output[0]}/{saved}" for saved in ("mean", "inverse")[len(one.output) - 1 :])
    weights = [one.name for one in graph.initializer if one.data_type == TensorProto.FLOAT and len(one.dims) and numpy.prod(one.dims) > 8]
    targets = ("/query/", "/value/") if task == "classify" else ("/q_proj/", "/v_proj/")
    adapters = add_adapters(graph, targets, random) if tune == "lora" else []
    head = []
    if task == "classify":
        hidden = next(one.dims[-1] for one in graph.initializer if one.name.endswith("word_embeddings.weight"))
        _, head = add_head(graph, hidden, random)
    else:
        add_shift(graph, next(one.dims[0] for one in graph.initializer if one.name.endswith("embed_tokens.weight")))
    del graph.output[:]
    classes = CLASSES if task == "classify" else None
    graph.output.append(helper.make_tensor_value_info("flat_logits", TensorProto.FLOAT, [None, classes]))
    trained = adapters + head if tune == "lora" else weights + head
    return model, trained, [name for name in weights if name not in trained]


def main():
    folder, task, tune, batch, length, threads = sys.argv[1:]
    folder, batch, length = pathlib.Path(folder), int(batch), int(length)
    model, trained, frozen = build(folder, task, tune)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = int(threads)
    with tempfile.TemporaryDirectory() as out:
        artifacts.generate_artifacts(
            model, requires_grad=trained, frozen_params=frozen, loss=artifacts.LossType.CrossEntropyLoss,
            optimizer=onnxblock.optim.AdamW(clip_grad=onnxblock.optim.ClipGradNorm(1.0)), artifact_directory=out,
        )
        state = api.CheckpointState.load_checkpoint(os.path.join(out, "checkpoint"))
        module = api.Module(os.path.join(out, "training_model.onnx"), state, os.path.join(out, "eval_model.onnx"), "cpu", options)
        optimizer = api.Optimizer(os.path.join(out, "optimizer_model.onnx"), module)
    optimizer.set_learning_rate(1e-5)
    module.train()
    vocabulary = 4096 if task == "generate" else 30522
    random = numpy.random.default_rng(2)
    ids = random.integers(5, vocabulary, (batch, length))
    feeds = {"input_ids": ids, "attention_mask": numpy.ones_like(ids), "token_type_ids": numpy.zeros_like(ids)}
    feeds["position_ids"] = numpy.tile(numpy.arange(length), (batch, 1))
    feeds["labels"] = random.integers(0, CLASSES, batch) if task == "classify" else ids[:, 1:].reshape(-1)
    for put in model.graph.input:
        if put.name.startswith("past_key_values"):
            sizes = [size.dim_value for size in put.type.tensor_type.shape.dim]
            feeds[put.name] = numpy.zeros((batch, sizes[1], 0, sizes[3]), numpy.float32)
    inputs = [feeds[name] for name in module.input_names()]
    print("ready", flush=True)
    for line in sys.stdin:
        for _ in range(int(line)):
            loss = module(*inputs)
            optimizer.step()
            module.lazy_reset_grad()
        print(float(loss), flush=True)


main()
