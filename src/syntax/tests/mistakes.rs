//! Wrong texts: the code, the characters pointed at, the message and the help.

use super::{at, read};

/// A mistake: code, characters pointed at, message, and a part of the label and help.
type Mistake = (&'static str, &'static str, &'static str, &'static str);

fn check(text: &str, expected: &[Mistake]) {
    let (_, errors) = read(text);
    let found: Vec<(&str, &str, &str)> =
        errors.iter().map(|error| (error.code.id(), at(text, error.labels[0].span), error.message.as_str())).collect();
    let wanted: Vec<(&str, &str, &str)> =
        expected.iter().map(|(code, span, message, _)| (*code, *span, *message)).collect();
    assert_eq!(found, wanted, "{text}");
    for (error, (.., advice)) in errors.iter().zip(expected) {
        let said = format!("{} {}", error.labels[0].message, error.help.as_deref().unwrap_or_default());
        assert!(said.contains(advice), "{text}\n`{said}` does not say `{advice}`");
    }
}

/// Statements in a block of a file.
fn block(head: &str, statements: &str) -> String {
    format!("annot 1\n{head} {{\n{statements}\n}}\nclean last {{ dedup text exactly }}\n")
}

#[test]
fn the_edition() {
    check("", &[("E0007", "", "the file does not begin with `annot 1`", "write `annot 1`")]);
    check("source a { }", &[("E0007", "source", "the file does not begin with `annot 1`", "first line")]);
    check("annot 2", &[("E0010", "2", "edition 2 of the language is unknown", "reads `annot 1`")]);
    check("annot", &[("E0001", "annot", "expected a number after `annot`", "`annot 1`")]);
    check("anot 1", &[("E0002", "anot", "unknown declaration `anot`", "did you mean `annot`?")]);
    check("annot 1\nannot 1", &[("E0007", "annot", "the edition is not the first statement", "once")]);
    check("annot 1 let x = 3", &[("E0001", "let", "unexpected `let` after `1`", "newline or `;`")]);
}

#[test]
fn words_that_begin_statements() {
    check("annot 1\nsorce a { }", &[("E0002", "sorce", "unknown declaration `sorce`", "did you mean `source`?")]);
    check("annot 1\nfrom a", &[("E0002", "from", "unknown declaration `from`", "`from` stands in a `dataset` block")]);
    check("annot 1\n= 3", &[("E0001", "=", "expected a declaration, found `=`", "a declaration begins with `source`")]);
    for (head, wrong, right) in [
        ("source s", "pathh", "path"),
        ("source s", "lisence", "license"),
        ("clean c", "drp", "drop"),
        ("policy p", "redct", "redact"),
        ("template t: chat", "asistant", "assistant"),
        ("dataset d", "spilt", "split"),
        ("model m", "onx", "onnx"),
        ("train t", "optimiser", "optimizer"),
        ("evaluate a on b.test", "reprot", "report"),
        ("test t \"x\"", "expct", "expect"),
    ] {
        let text = block(head, &format!("  {wrong} x"));
        let (tree, errors) = read(&text);
        assert_eq!(errors.len(), 1, "{text}");
        assert_eq!(errors[0].code.id(), "E0003", "{text}");
        assert_eq!(at(&text, errors[0].labels[0].span), wrong);
        assert_eq!(errors[0].labels[0].message, format!("did you mean `{right}`?"));
        assert_eq!(tree.decls.len(), 2, "{text}");
        assert_eq!(tree.damaged.len(), 1, "{text}");
    }
    let inner = "  label intent {\n    form rule \"x\" when a => b\n    resolv majority\n  }";
    check(
        &block("dataset d", inner),
        &[
            ("E0003", "form", "unknown statement `form` in a data set's `label` block", "did you mean `from`?"),
            ("E0003", "resolv", "unknown statement `resolv` in a data set's `label` block", "`resolve`"),
        ],
    );
}

#[test]
fn statements() {
    check(
        &block(
            "source s",
            "  fields {\n    text string\n    a: \n    b: int @\n    c: lst<int\n  }\n  path x\n  path 5",
        ),
        &[
            ("E0001", "string", "expected `:` after `text`, found `string`", ""),
            ("E0001", ":", "expected a type after `:`", "ends too early"),
            ("E0001", "@", "expected a name after `@`", ""),
            ("E0001", "<", "unexpected `<` after `lst`", "`list<T>`"),
            ("E0001", "x", "expected a string after `path`, found `x`", "`\"x\"`"),
            ("E0001", "5", "expected a string after `path`, found `5`", ""),
        ],
    );
    check(
        &block("clean c", "  drop \"x\" wen a\n  dedup text exact\n  drop when a < 3\n  set text =\n  set = 3"),
        &[
            ("E0001", "wen", "expected `when` after `\"x\"`, found `wen`", "did you mean `when`?"),
            ("E0001", "exact", "expected `exactly` or `near` after `text`, found `exact`", "did you mean `exactly`?"),
            ("E0001", "when", "expected a reason in quotes after `drop`, found `when`", ""),
            ("E0001", "=", "expected a value after `=`", ""),
            ("E0001", "=", "expected a name after `set`, found `=`", ""),
        ],
    );
    check(
        &block(
            "dataset d",
            " from a, b,\n clean tidy\n split train 90%, test from a, b seed 1 seed 2\n write messages form route",
        ),
        &[
            ("E0001", ",", "nothing follows the comma", "remove it"),
            ("E0001", "seed 2", "`seed` is said twice", "remove one"),
            ("E0001", "form", "expected `{`, `as` or `from` after `messages`, found `form`", "did you mean `from`?"),
        ],
    );
    check(
        "annot 1\nlabel when: choice { a; b }\nlabel x choice\nlabel z: scale 1 { }\ntest x { }\nlet x 3\nfn f(a) = 3",
        &[
            ("E0001", "when", "`when` is a keyword and cannot be a name", "backticks"),
            ("E0001", "choice", "expected `:` after `x`, found `choice`", ""),
            ("E0001", "{", "expected `..` after `1`, found `{`", ""),
            ("E0001", "{", "expected a string after `x`, found `{`", ""),
            ("E0001", "3", "expected `=` after `x`, found `3`", ""),
            ("E0001", ")", "expected `:` after `a`, found `)`", ""),
        ],
    );
    check(
        &block("train t", " batch\n rate 3e-4 cosine warmup\n stop after 2 validations\n task clasify a from b"),
        &[
            ("E0001", "batch", "expected a number after `batch`", ""),
            ("E0001", "warmup", "expected a number after `warmup`", ""),
            ("E0001", "validations", "expected `without` after `validations`", ""),
            (
                "E0001",
                "clasify",
                "expected `classify`, `regress`, `generate`, `prefer`, `embed` or `tag` after `task`, found `clasify`",
                "did you mean `classify`?",
            ),
        ],
    );
}

#[test]
fn expressions() {
    let one = |value: &str, mistake: Mistake| check(&format!("annot 1\nlet x = {value}\nlet y = 1"), &[mistake]);
    one("a +", ("E0001", "+", "nothing follows the operator `+`", "at the start of that line"));
    one("a +\n  b", ("E0001", "+", "nothing follows the operator `+`", "at the start of that line"));
    one("a and", ("E0001", "and", "nothing follows the operator `and`", ""));
    one("a < b < c", ("E0001", "<", "`<` cannot follow another comparison", "join two comparisons with `and`"));
    one("a in b is null", ("E0001", "is null", "`is` cannot follow another comparison", ""));
    one("1 + not a", ("E0001", "not", "`not` cannot stand behind an operator that binds more tightly", "brackets"));
    one("a = 3", ("E0001", "=", "unexpected `=`", "did you mean `==`?"));
    one("a && b", ("E0001", "&&", "unexpected `&&`", "did you mean `and`?"));
    one("!a", ("E0001", "!", "unexpected `!`", "did you mean `not`?"));
    one("a.b(3)", ("E0001", "(", "unexpected `(` after `b`", "`x |> b`"));
    one("[1, 2,, 3]", ("E0001", ",", "expected a value after `,`, found `,`", ""));
    one("f(1 2)", ("E0001", "2", "expected `,` after `1`, found `2`", ""));
    one("20%%", ("E0001", "%", "unexpected `%` after `20%`", ""));
    one("20 %", ("E0001", "20 %", "the `%` stands apart from `20`", "`20%`"));
    one("a is 3", ("E0001", "3", "expected `null` after `is`, found `3`", ""));
    one("a match { 1 => b, 2 => c }", ("E0001", ",", "arms are not separated by commas", "a line of its own"));
    one("(1 + 2", ("E0004", "(", "the bracket is never closed", "close it with `)`"));
    one("1 + 2)", ("E0004", ")", "`)` closes nothing", "remove it"));
    one("[1, 2", ("E0004", "[", "the bracket is never closed", "`]`"));
}

#[test]
fn literals() {
    let one = |value: &str, mistake: Mistake| check(&format!("annot 1\nlet x = {value}\nlet y = 1"), &[mistake]);
    one("\"abc", ("E0005", "\"abc", "the string is not closed", "on the same line"));
    one("\"a\\qb\"", ("E0005", "\\q", "`\\q` is no escape", "`\\\\`"));
    one("\"\\u{d800}\"", ("E0005", "\\u", "`\\u` is no escape", ""));
    one("'abc'", ("E0005", "'abc'", "`'` does not begin a string", "double quotes"));
    one("“abc”", ("E0005", "“abc”", "`“` does not begin a string", "double quotes"));
    one("`abc", ("E0005", "`abc", "the name in backticks is not closed", "backtick"));
    one("a matches /b[/]", ("E0011", "/b[/]", "the regex is not closed", "`\\/`"));
    one("a matches /b/g", ("E0011", "g", "a regex has no flag `g`", "`i`"));
    one("64tokens", ("E0006", "64tokens", "`64tokens` is no number", "write `64 tokens`"));
    one("0x1F", ("E0006", "0x1F", "`0x1F` is no number", "`1_000`"));
    one("1__0", ("E0006", "1__0", "`1__0` is no number", ""));
    one(".5", ("E0006", ".5", "`.5` lacks a digit before the point", "`0.5`"));
    one("5. + 1", ("E0006", "5.", "`5.` lacks a digit after the point", "`5.0`"));
    one("1e999", ("E0006", "1e999", "the number `1e999` is too large", ""));
    one("9223372036854775808", ("E0006", "9223372036854775808", "the number `9223372036854775808` is too large", ""));
    check("annot 1\nlet x = \"\"\"\nabc\nlet y = 1", &[("E0005", "\"\"\"", "the string is not closed", "`\"\"\"`")]);
}

#[test]
fn characters() {
    check("annot 1\n# x\nlet y = 1", &[("E0012", "#", "`#` does not begin a comment", "`//`")]);
    check("annot 1\nlet /* x */ y = 1", &[("E0012", "/*", "`/*` does not begin a comment", "`//`")]);
    check("annot 1\nlet\0 y = 1", &[("E0012", "\0", "a NUL character cannot stand here", "remove it")]);
    check(
        "annot 1\rlet y = 1",
        &[
            ("E0012", "\r", "a carriage return without a line feed cannot stand here", "remove it"),
            ("E0001", "let", "unexpected `let` after `1`", ""),
        ],
    );
    let direction = "a character that changes the text's direction (U+202E) cannot stand";
    check(
        "annot 1\nlet \u{202e}y = 1 // \u{202e}",
        &[
            ("E0012", "\u{202e}", &format!("{direction} here").leak()[..], "look other than it is"),
            ("E0012", "\u{202e}", &format!("{direction} in a comment").leak()[..], "look other than it is"),
        ],
    );
    // A string of another language may need marks of direction, and none that turns all that follows.
    check("\u{feff}annot 1\r\nlet\ty = \"\u{200f}\t\" // ä\r\n", &[]);
    check(
        "annot 1\nlet `\u{200f}y` = \"\u{202e}\"\nlet z = /\0/",
        &[
            (
                "E0012",
                "\u{200f}",
                "a character that changes the text's direction (U+200F) cannot stand in a name",
                "remove it",
            ),
            ("E0012", "\u{202e}", &format!("{direction} in a string").leak()[..], "`\\u{202e}`"),
            ("E0012", "\0", "a NUL character cannot stand in a regex", "`\\u{0}`"),
        ],
    );
}

#[test]
fn documentation() {
    let wrong = "a `///` comment documents nothing here";
    check(
        "annot 1\n/// well\n\nclean b {\n /// wrong\n set a = 1 /// trailing\n}\n/// end\n",
        &[
            ("E0008", "/// wrong", wrong, "begins with `//`"),
            ("E0008", "/// trailing", wrong, ""),
            ("E0008", "/// end", wrong, ""),
        ],
    );
    check(
        "/// first\nannot 1\n/// of another file\nuse \"a.annot\": b",
        &[("E0008", "/// first", wrong, ""), ("E0008", "/// of another file", wrong, "")],
    );
    check("annot 1\n//// a plain comment\nlet y = 1 //// another", &[]);
}

#[test]
fn blocks_that_do_not_close() {
    check(
        "annot 1\nsource a {\n  path \"x\"\nclean b {\n  drp \"x\" when a\n}\n",
        &[
            ("E0004", "{", "the block is never closed", "`}`"),
            ("E0003", "drp", "unknown statement `drp` in a `clean` block", "did you mean `drop`?"),
        ],
    );
    check(
        "annot 1\nsource a {\n  fields {\n    a: int\n  path \"x\"\n}\nclean b { }\n",
        &[("E0004", "{", "the block is never closed", "")],
    );
    check(
        "annot 1\nsource a {\n  fields { a: int } }\n  path \"x\"\n}\nclean b { drp }\n",
        &[("E0004", "}", "`}` closes nothing", ""), ("E0003", "drp", "unknown statement `drp` in a `clean` block", "")],
    );
    check("annot 1\nsource a { path \"x }\nlet y = 1", &[("E0005", "\"x }", "the string is not closed", "")]);
    check("annot 1\nsource a {", &[("E0004", "{", "the block is never closed", "")]);
}

#[test]
fn depth_has_a_limit() {
    let deep = |open: &str, count: usize, close: &str| {
        format!("annot 1\nlet x = {}1{}\nlet y = 3 3", open.repeat(count), close.repeat(count))
    };
    for count in [65, 100_000] {
        for (open, close) in [("(", ")"), ("[", "]"), ("f(", ")"), ("{ a: ", "}"), ("a match { 1 => ", "}")] {
            let (_, errors) = read(&deep(open, count, close));
            let codes: Vec<&str> = errors.iter().map(|error| error.code.id()).collect();
            assert_eq!(codes, ["E0009", "E0001"], "{open} {count}");
        }
    }
    for long in ["-", "not ", "1 + ", "a or ", "x."] {
        let (_, errors) = read(&format!("annot 1\nlet x = {}a\nlet y = 3 3", long.repeat(100_000)));
        let codes: Vec<&str> = errors.iter().map(|error| error.code.id()).collect();
        assert_eq!(codes, ["E0009", "E0001"], "{long}");
    }
    let types = format!("annot 1\nfn f(a: {}int{}) = 1", "list<".repeat(100_000), ">".repeat(100_000));
    assert_eq!(read(&types).1.len(), 1);
    let (_, errors) = read(&format!("annot 1\nlet x = {}1{}", "(".repeat(64), ")".repeat(64)));
    assert!(errors.is_empty(), "64 levels are read");
}

/// Prints the mistakes of a spec as a terminal shows them: `cargo test picture -- --nocapture`.
#[test]
fn picture() {
    use crate::diagnostics::{Look, render, summary};
    use crate::source::{SourceFile, SourceMap};
    let text = "annot 1

source questions {
  pathh   \"data/train.csv\"
  license CC-BY-4.0
  fields { text: strng @personal(email; category: string }
}
clean tidy {
  set  text = text |> nfc |>
  drop \"too short\" when words(text) < 3 < 4
  drop \"größer\" wen language(text) = \"en\"
}
sorce heldout { path \"x }
";
    let (_, errors) = read(text);
    let mut sources = SourceMap::default();
    sources.add(SourceFile::new("spec.annot", text));
    let picture = render(&errors, &sources, Look { color: false, unicode: true, width: 90 });
    println!("{picture}{}", summary(&errors));
    for line in ["4 │   pathh   \"data/train.csv\"", "·   ──┬──", "╰── did you mean `path`?"] {
        assert!(picture.contains(line), "{picture}");
    }
}
