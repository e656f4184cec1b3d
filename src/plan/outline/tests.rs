//! The outline of a small program: what reads what, when, and where personal data is.

use super::{Kept, NodeKind, Pass, outline, to_dot, to_mermaid};
use crate::hir::{DatasetId, Program, TrainId};
use crate::semantic::{NoFiles, load, resolve};
use crate::source::{SourceFile, SourceMap};

const SPEC: &str = "annot 1
source notes { path \"a.jsonl\"; license \"MIT\"; fields { text: string @personal(email, phone); kind: string; note: string? } }
label topic: choice { card; loan }
clean tidy {
  set  text = text |> nfc
  drop \"a \\\"<b>\\\"\" when words(text) < 3
  dedup text near 0.9
}
policy house {
  redact text: email
  redact text: phone
  forbid \"mail\" when text matches /@/
  require count() >= 2 per topic
}
template ask: chat { user \"{{ text }}\"; assistant \"{{ topic }}\" }
dataset all {
  from   notes
  clean  tidy
  label  topic = kind
  policy house
  split  train 80%, test 20% by text near 0.9 stratify topic seed 1
  write  messages from ask
}
model tiny { new encoder { layers 1; hidden 32; heads 2; vocab 100 } }
train router { model tiny; data all; task classify topic from text; epochs 1 }
evaluate router on all.test { report accuracy }
";

fn program() -> Program {
    let mut files = SourceMap::default();
    let id = files.add(SourceFile::new("spec.annot", SPEC));
    let (parsed, mut found) = load(&mut files, id, &mut NoFiles);
    let (program, more) = resolve(&files, &parsed, &mut NoFiles);
    found.extend(more);
    assert!(!crate::diagnostics::has_errors(&found), "{found:#?}");
    program
}

#[test]
fn each_step_says_what_it_reads_when_and_what_may_be_personal() {
    let outline = outline(&program(), &[DatasetId(0)], &[TrainId(0)], &[0]);
    let told: Vec<String> = outline
        .nodes
        .iter()
        .map(|node| {
            let passes: Vec<&str> = node.passes.iter().map(|pass| pass.word()).collect();
            format!(
                "{} | {} -> {} | {} | {}",
                node.kind.word(),
                node.reads.join(" "),
                node.writes.join(" "),
                passes.join(" "),
                node.personal.join("; ")
            )
        })
        .collect();
    let expected = [
        "source |  -> text kind note | survey pass 1 pass 2 | text (email, phone)",
        "set | text -> text | pass 1 pass 2 | text (email, phone)",
        "drop | text ->  | pass 1 | text (email, phone)",
        "dedup | text ->  | compare between | text (email, phone)",
        "label | kind -> topic | pass 1 pass 2 | text (email, phone)",
        "redact | text -> text | pass 1 pass 2 | text (phone)",
        "redact | text -> text | pass 1 pass 2 | ",
        "forbid | text ->  | pass 1 | ",
        "split | text topic ->  | compare between | ",
        "require | topic ->  | between | ",
        "write | text topic ->  | pass 2 | ",
        "model |  ->  | training | ",
        "train | text topic ->  | training | ",
        "evaluate |  ->  | evaluation | ",
    ];
    assert_eq!(told, expected);
    assert_eq!(outline.nodes[2].kept, Kept::ToTheEnd);
    assert_eq!(outline.nodes[10].kept, Kept::BetweenBuilds);
    assert!(outline.edges.iter().all(|edge| edge.from < edge.to), "a step comes after what it needs");
    let reached = |to: usize| outline.edges.iter().filter(|edge| edge.to == to).count();
    assert_eq!((reached(12), reached(13)), (2, 2), "a run has a model and data, an evaluation a run and data");
    assert!(outline.nodes.iter().all(|node| node.kind != NodeKind::Train || node.passes == [Pass::Training]));
}

#[test]
fn pictures_take_no_text_for_markup() {
    let outline = outline(&program(), &[DatasetId(0)], &[], &[]);
    let (mermaid, dot) = (to_mermaid(&outline), to_dot(&outline));
    assert!(!mermaid.contains("<b>") && mermaid.contains("#60;b#62;"), "{mermaid}");
    assert!(dot.contains("a \\\"<b>\\\""), "{dot}");
    assert!(mermaid.contains("==>|\"text (email, phone)\"|"), "{mermaid}");
    assert_eq!(dot.matches(" -> ").count(), outline.edges.len());
}
