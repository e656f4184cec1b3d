"""Products of matrices by onnxruntime on one thread, as `ours.rs` does them by the crate gemm.

    with_onnxruntime.py          (needs the packages onnx, onnxruntime and numpy)
"""

import time

import numpy
import onnx
import onnxruntime
from onnx import TensorProto, helper


def session(node, inputs, constants=()):
    of_floats = [helper.make_tensor_value_info(name, TensorProto.FLOAT, value.shape) for name, value in inputs.items()]
    result = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)
    graph = helper.make_graph([node], "product", of_floats, [result], initializer=list(constants))
    sets = [helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    model = helper.make_model(graph, opset_imports=sets, ir_version=8).SerializeToString()
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def measure(what, a, b, trans_a=0, trans_b=0, frozen=False):
    node = helper.make_node("FusedMatMul", ["a", "b"], ["y"], domain="com.microsoft", transA=trans_a, transB=trans_b)
    inputs = {"a": a} if frozen else {"a": a, "b": b}
    constants = [onnx.numpy_helper.from_array(b, "b")] if frozen else []
    run = session(node, inputs, constants)
    binding = run.io_binding()
    for name, value in inputs.items():
        binding.bind_ortvalue_input(name, onnxruntime.OrtValue.ortvalue_from_numpy(value))
    binding.bind_output("y")
    run.run_with_iobinding(binding)
    seconds = []
    for _ in range(31):
        start = time.perf_counter()
        run.run_with_iobinding(binding)
        seconds.append(time.perf_counter() - start)
    seconds = sorted(seconds)[15]
    columns = b.shape[-2] if trans_b else b.shape[-1]
    print(f"{what:36} {seconds * 1e3:8.3f} ms {2 * a.size * columns / seconds / 1e9:6.1f} GFLOP/s")


numbers = numpy.random.default_rng(0)
floats = lambda *shape: numbers.standard_normal(shape, dtype=numpy.float32)
for rows, terms, columns in [(1024, 384, 384), (1024, 384, 1536), (1024, 1536, 384), (1024, 256, 4096)]:
    x, w, g, sizes = floats(rows, terms), floats(terms, columns), floats(rows, columns), f"{rows}×{terms}×{columns}"
    measure(f"{sizes} forward", x, w)
    measure(f"{sizes} forward, frozen", x, w, frozen=True)
    measure(f"{sizes} by its input", g, w, trans_b=1)
    measure(f"{sizes} by its weights", x, g, trans_a=1)
for heads, places, size in [(96, 128, 32), (32, 256, 32)]:
    q, p, sizes = floats(heads, places, size), floats(heads, places, places), f"{heads} heads of {places}×{size}"
    measure(f"{sizes} scores", q, q, trans_b=1)
    measure(f"{sizes} results", p, q)
    measure(f"{sizes} by keys", p, q, trans_a=1)
