//! Operators that a model must not have when it is read: those that tools for inference put in place of the exporter's.

use super::{LoadError, Op, proto};

/// Operators over 8-bit integers; their weights are no longer numbers that can be trained.
const QUANTIZED: [&str; 7] = [
    "ConvInteger",
    "DequantizeLinear",
    "DynamicQuantizeLinear",
    "MatMulInteger",
    "QLinearConv",
    "QLinearMatMul",
    "QuantizeLinear",
];

/// The operator sets of the standard, besides the first.
const STANDARD: [&str; 3] = ["ai.onnx.ml", "ai.onnx.preview", "ai.onnx.preview.training"];

/// Refuses fused, quantized and foreign operators by the node's name. What the standard set has and the crate does not know
/// is carried along: it may lie where no gradient passes. So may functions that the file itself defines.
pub(super) fn check_operator(node: &str, op: &Op, functions: &[proto::FunctionProto]) -> Result<(), LoadError> {
    let (node, operator) = (node.to_owned(), op.to_string());
    if op.domain().is_empty() && QUANTIZED.contains(&op.name()) {
        return Err(LoadError::Quantized { node, operator });
    }
    let Op::Other { domain, name } = op else { return Ok(()) };
    let own = functions
        .iter()
        .any(|function| function.domain.as_deref() == Some(domain) && function.name.as_deref() == Some(name));
    match domain.as_str() {
        "" => Ok(()),
        _ if own || STANDARD.contains(&domain.as_str()) => Ok(()),
        domain if domain.starts_with("com.microsoft") || domain.starts_with("com.ms.") => {
            Err(LoadError::Fused { node, operator })
        }
        _ => Err(LoadError::Foreign { node, operator }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_tools_for_inference_write_is_refused_by_name() {
        let refused = |domain: &str, operator: &str| {
            let error = check_operator("/layer.0/attention/Op", &Op::parse(domain, operator), &[]).err()?;
            let message = error.to_string();
            assert!(message.contains("`/layer.0/attention/Op`") && message.contains(operator), "{message}");
            assert!(message.contains("export"), "{message}");
            Some(std::mem::discriminant(&error))
        };
        let (node, operator) = (String::new(), String::new());
        let fused = Some(std::mem::discriminant(&LoadError::Fused { node: node.clone(), operator: operator.clone() }));
        for operator in [
            "Attention",
            "EmbedLayerNormalization",
            "GroupQueryAttention",
            "MatMulNBits",
            "MultiHeadAttention",
            "QAttention",
            "RotaryEmbedding",
            "SkipLayerNormalization",
            "SkipSimplifiedLayerNormalization",
        ] {
            assert_eq!(refused("com.microsoft", operator), fused, "{operator}");
        }
        assert_eq!(refused("com.microsoft.nchwc", "Conv"), fused);
        let quantized = LoadError::Quantized { node: node.clone(), operator: operator.clone() };
        assert_eq!(refused("", "MatMulInteger"), Some(std::mem::discriminant(&quantized)));
        assert_eq!(
            refused("com.example", "Strange"),
            Some(std::mem::discriminant(&LoadError::Foreign { node, operator }))
        );
        for (domain, operator) in [("", "Attention"), ("", "LSTM"), ("com.microsoft", "Gelu"), ("ai.onnx.ml", "Scaler")]
        {
            assert_eq!(refused(domain, operator), None, "{operator}");
        }
        let function = proto::FunctionProto {
            domain: Some("com.example".to_owned()),
            name: Some("Strange".to_owned()),
            ..Default::default()
        };
        assert!(check_operator("", &Op::parse("com.example", "Strange"), &[function]).is_ok());
    }
}
