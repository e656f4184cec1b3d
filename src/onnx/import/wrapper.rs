//! Modules that hold the whole model. Who exports from a module of his own, as the newer exporter invites to, has the model's
//! weights under its attribute: `m.classifier.weight`. What knows layers by their paths, here and in other programs, knows the
//! model's own.

/// First parts of the paths of whole models without their heads (`base_model_prefix` in transformers): of a model whose head
/// is its embedding all weights have it, and it is the model's own.
const OWN: [&str; 12] = [
    "albert",
    "bert",
    "deberta",
    "distilbert",
    "electra",
    "encoder",
    "gpt_neox",
    "layoutlm",
    "model",
    "mpnet",
    "roberta",
    "transformer",
];

/// First parts of the paths of the classification heads that exporters write.
pub const HEAD_PATHS: [&str; 5] = ["classifier", "score", "pre_classifier", "classification_head", "head"];

/// First parts of the paths of the layers that write a vocabulary's logits.
pub const VOCABULARY_PATHS: [&str; 4] = ["lm_head", "embed_out", "cls", "generator_lm_head"];

/// What all paths begin with that is not the model's own, with its point; empty where there is no such thing. A path without
/// parts is that of a tensor that no module is known of, and says nothing.
pub(super) fn find<'p>(paths: impl Iterator<Item = &'p str>) -> String {
    let paths: Vec<&str> = paths.filter(|path| path.contains('.')).collect();
    let mut rest = paths.clone();
    while let Some(inner) = within(&rest) {
        rest = inner;
    }
    match (paths.first(), rest.first()) {
        (Some(path), Some(rest)) => path.strip_suffix(rest).unwrap_or_default().to_owned(),
        (_, _) => String::new(),
    }
}

/// The paths without a first part that they share, where it is a wrapper's. One of the model's names is a wrapper's where a
/// whole model stands in it: `model.model.layers` beside `model.lm_head`.
fn within<'p>(paths: &[&'p str]) -> Option<Vec<&'p str>> {
    let (first, _) = paths.first()?.split_once('.')?;
    let inner: Option<Vec<&str>> = paths
        .iter()
        .map(|path| path.strip_prefix(first)?.strip_prefix('.').filter(|rest| rest.contains('.')))
        .collect();
    let inner = inner?;
    let holds_model = |path: &&str| {
        let child = path.split('.').next().unwrap_or_default();
        HEAD_PATHS.contains(&child) || VOCABULARY_PATHS.contains(&child) || child == first
    };
    (!OWN.contains(&first) || inner.iter().any(holds_model)).then_some(inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_holds_the_whole_model_is_no_part_of_its_paths() {
        let check = |paths: &[&str], expected: &str| assert_eq!(find(paths.iter().copied()), expected, "{paths:?}");
        check(&["m.bert.pooler.weight", "m.classifier.bias", "val_3"], "m.");
        check(&["bert.pooler.weight", "classifier.bias"], "");
        check(&["w.module.model.layers.0.q.weight", "w.module.lm_head.weight"], "w.module.");
        check(&["m.embeddings.weight", "m.encoder.layer.0.query.weight"], "m.");
        // A decoder whose head is its embedding has one first part for all, which is its own.
        check(&["model.embed_tokens.weight", "model.layers.0.q.weight"], "");
        check(&["transformer.wte.weight", "transformer.h.0.c_attn.weight"], "");
        check(&["m.model.embed_tokens.weight", "m.model.layers.0.q.weight"], "m.");
        check(&["model.model.embed_tokens.weight", "model.model.layers.0.q.weight"], "model.");
        check(&["model.bert.pooler.weight", "model.classifier.weight"], "model.");
        check(&["encoder.layer.0.query.weight"], "");
        check(&["w.weight"], "");
        check(&[], "");
    }
}
