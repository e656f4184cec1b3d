//! What formatting does with large, deep and hostile texts.

use std::time::Duration;

use super::format::check_format;
use super::invariants::time;
use crate::syntax::format;
use crate::syntax::tests::corpus::WHOLE;

/// What may be hidden in a text, and how deep it may be nested.
#[test]
fn hostile_texts_get_an_answer() {
    let deep = |open: &str, close: &str| format!("let x = {}1{}\n", open.repeat(64), close.repeat(64));
    for (open, close) in [("(", ")"), ("[", "]"), ("f(", ")"), ("{ a: ", " }"), ("[\n", "]")] {
        check_format(&format!("annot 1\n{}", deep(open, close)));
    }
    let blocks = format!("annot 1\nlabel x: choice {}{}", "{ b ".repeat(64), "}".repeat(64));
    check_format(&blocks);
    check_format(&blocks.replace("{ ", "{\n"));
    check_format("annot 1\nlet x = \"\u{200f}\u{1}\t\" // \u{7f}\u{a0}\nlabel `\u{7f}`: choice { `a b` \"\u{301}\" }");
    check_format(&format!("annot 1\nlet x = \"{}\" // {}\n", "a".repeat(5000), "b ".repeat(5000)));
}

/// Texts that grow in one direction, of about this many bytes.
fn grown(bytes: usize) -> Vec<(&'static str, String)> {
    let repeated = |piece: &str| piece.repeat(bytes / piece.len());
    let whole = WHOLE.trim_start_matches("annot 1");
    vec![
        ("declarations", format!("annot 1{}", repeated(whole))),
        ("on one line", format!("annot 1;{}", repeated("let x = [1, 2];"))),
        (
            "statements",
            format!("annot 1\nclean c {{\n{}}}", repeated("set long_name=nfc(text) // c\ndrop \"x\" when y\n")),
        ),
        ("statements on one line", format!("annot 1\nclean c {{ {} }}", repeated("dedup text exactly; "))),
        ("values", format!("annot 1\nlabel x: choice {{\n{}}}", repeated("/// A.\na \"A\" key \"a\"\nlonger { b }\n"))),
        ("items", format!("annot 1\nlet x = [{}1]", repeated("123, "))),
        ("records", format!("annot 1\nlet x = [{}1]", repeated("{ a: 1, b: [2] }, // c\n"))),
        ("names", format!("annot 1\ndataset d {{ from {}a }}", repeated("source_name, "))),
        ("comments", format!("annot 1 {}", repeated("// a\n          // b\n\n"))),
        ("a string", format!("annot 1\nlet x = \"\"\"\n{}\"\"\"", repeated("  line\n \n"))),
        ("blank lines", format!("annot 1\nlet x = [{}]", repeated("\n"))),
    ]
}

#[test]
fn four_times_the_text_takes_about_four_times_as_long() {
    let took = |text: &str| {
        let run = || {
            format(text).expect("it can be read");
        };
        (0..2).map(|_| time(run)).min().expect("two runs")
    };
    // A clock that counts in jiffies shows nothing of less than one.
    let jiffies = Duration::from_millis(20);
    for ((name, small), (_, large)) in grown(8 << 10).iter().zip(&grown(32 << 10)) {
        let (short, long) = (took(small), took(large));
        println!("{name}: {short:?}, {long:?}");
        assert!(long < short * 8 + jiffies, "{name}: {short:?} and {long:?}");
    }
}
