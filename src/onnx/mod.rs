//! ONNX models: load, save, graph, operators, shapes.
