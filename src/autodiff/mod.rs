//! Reverse-mode differentiation of an ONNX graph: `differentiate(&Graph, loss, &params) -> TrainingGraph`.
