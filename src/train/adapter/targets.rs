//! The layers that are adapted where a run names none: those of attention that PEFT takes for the architecture.

/// Values of `model_type`, and the names of the layers.
const USUAL: [(&[&str], &[&str]); 11] = [
    (&["albert", "bert", "camembert", "electra", "layoutlm", "roberta", "xlm-roberta"], &["query", "value"]),
    (&["deberta-v2"], &["query_proj", "value_proj"]),
    (&["deberta"], &["in_proj"]),
    (&["distilbert"], &["q_lin", "v_lin"]),
    (&["modernbert"], &["Wqkv"]),
    (&["mpnet"], &["q", "v"]),
    (&["gpt2", "gpt_bigcode"], &["c_attn"]),
    (&["bloom", "falcon", "gpt_neox"], &["query_key_value"]),
    (&["codegen", "phi3"], &["qkv_proj"]),
    (&["phi"], &["q_proj", "v_proj", "fc1", "fc2"]),
    (
        &[
            "gemma",
            "gemma2",
            "gemma3_text",
            "gpt_neo",
            "gptj",
            "llama",
            "mistral",
            "mixtral",
            "opt",
            "qwen2",
            "qwen3",
            "stablelm",
        ],
        &["q_proj", "v_proj"],
    ),
];

/// The usual layers of an architecture; none where it is not known.
pub(super) fn usual(architecture: &str) -> &'static [&'static str] {
    USUAL.iter().find(|(architectures, _)| architectures.contains(&architecture)).map_or(&[], |(_, targets)| targets)
}
