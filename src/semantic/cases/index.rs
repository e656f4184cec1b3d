//! What the index says of names: where they are declared, where they stand, and what they are there.

use super::{EXAMPLE, OneFile};
use crate::semantic::{Index, Reference, analyze, load};
use crate::source::{SourceFile, SourceMap};

fn index(text: &str) -> (SourceMap, Index) {
    let mut files = SourceMap::default();
    let id = files.add(SourceFile::new("spec.annot", text));
    let (parsed, _) = load(&mut files, id, &mut OneFile);
    let (.., index) = analyze(&files, &parsed, &mut OneFile);
    (files, index)
}

/// The symbol whose name stands at the nth place where `text` is written.
fn at<'i>(files: &SourceMap, index: &'i Index, text: &str, nth: usize) -> &'i Reference {
    let whole = &files.file(crate::source::FileId(0)).text;
    let (start, _) = whole.match_indices(text).nth(nth).unwrap_or_else(|| panic!("no place {nth} of `{text}`"));
    let found = index.references.iter().find(|reference| {
        reference.span.file.0 == 0 && reference.span.start as usize == start && files.text(reference.span) == text
    });
    found.unwrap_or_else(|| panic!("nothing is known of `{text}`, place {nth}"))
}

#[test]
fn names_lead_to_their_declarations() {
    let (files, index) = index(EXAMPLE);
    // A name, one of its places, and how many places it is declared at and stands at.
    let cases = [
        ("questions", 0, 1, 3),
        ("tidy", 1, 1, 4),
        ("intent", 1, 1, 7),
        ("category", 0, 2, 4),
        ("minilm", 0, 1, 2),
        ("words", 0, 0, 2),
    ];
    let mut wrong = String::new();
    for (name, nth, declared, stands) in cases {
        let symbol = at(&files, &index, name, nth).symbol;
        let mut places: Vec<_> =
            index.references.iter().filter(|reference| reference.symbol == symbol).map(|found| found.span).collect();
        places.dedup();
        let found = (index.symbols[symbol].declared.len(), places.len());
        if found != (declared, stands) {
            wrong += &format!("{name}: declared, stands {found:?}, expected {:?}: {places:?}\n", (declared, stands));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn types_and_taint_are_those_of_the_place() {
    let text = "annot 1
source s { path \"a.jsonl\"; fields { text: string? @personal(email); n: int } }
clean c {
  drop \"none\" when text is null
  set text = text |> nfc
}
policy p { redact text: email }
dataset d { from s; clean c; policy p; split train 100%; write jsonl }
";
    let (files, index) = index(text);
    let shown: Vec<&str> = index
        .references
        .iter()
        .filter(|found| files.text(found.span) == "text")
        .filter_map(|found| found.shown.as_deref())
        .collect();
    let before = "string? @personal(email)";
    let after = "string @personal(email)";
    assert_eq!(shown, [before, after, after, after]);
    let last = index.scopes.iter().find(|scope| files.text(scope.span).starts_with("dataset")).expect("its scope");
    assert!(last.fields.iter().all(|field| !field.personal), "redacted: {:?}", last.fields);
}
