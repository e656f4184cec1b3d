//! Wrong texts: the code, the characters pointed at and the message.

use super::mistakes;

/// Wraps statements into a block of `annot 1`.
fn block(head: &str, statements: &str) -> String {
    format!("annot 1\n{head} {{\n{statements}\n}}\n")
}

#[test]
fn show() {
    let cases: Vec<String> = vec![
        "".into(),
        "source a { }".into(),
        "annot 2".into(),
        "annot".into(),
        "anot 1\nsource a { }".into(),
        "annot 1\nsorce a { path \"x\" }\nclean b { drp \"x\" when a }".into(),
        block("source s", "  pathh \"x\"\n  lisence \"MIT\"\n  path 5"),
        block("source s", "  fields {\n    text string\n    a: \n    b: int @\n    c: lst<int\n  }\n  path x"),
        block("source s", "  system \"x\""),
        block("clean c", "  set text = a +\n  drop \"x\" wen a\n  dedup text exact\n  drop when a < 3\n  set x = a < b < c\n  set y = 1 + not a"),
        block("clean c", "  set text = \"abc\n  drop \"x\" when a matches /abc\n  set z = \"\\q\"\n set q = `abc"),
        block("clean c", "  drop \"x\" when a = 3\n drop \"x\" when a && b\n drop \"y\" when !a\n drop \"z\" when 64tokens < 3x\n set a = .5 + 5.\n set b = 1e999\n set c = 99999999999999999999"),
        block("clean c", "  set a = (1 + 2\n  set b = 3]\n  set c = [1, 2"),
        "annot 1\nsource a {\n  path \"x\"\nclean b {\n  drop \"x\" when a\n}\n".into(),
        "annot 1\nsource a {\n  fields {\n    a: int\n  path \"x\"\n}\nclean b { }\n".into(),
        "annot 1\nsource a {\n  fields { a: int } }\n  path \"x\"\n}\nclean b { drp }\n".into(),
        "annot 1\n/// doc\n\nclean b {\n /// wrong\n set a = 1 /// trailing\n}\n/// end\n".into(),
        "annot 1\nsource a { path 'x' }\n# comment\nsource b { path “x” }".into(),
        "annot 1\nclean\u{202e} a { }\nclean b\u{a0}{ }\n// x \u{202e}\nclean c { \0 }".into(),
        "annot 1\ndataset d {\n from a, b,\n clean tidy\n split train 90% validation 10%\n split train 90%, test from a, b seed 1 seed 2\n write messages form route\n label x = y match { 1 => a, 2 => b }\n}".into(),
        "annot 1\nlabel when: choice { a; b }\nlabel x choice\nlabel y: chioce { a }\nlabel z: scale 1 { }\n".into(),
        "annot 1\ntrain t {\n batch\n rate 3e-4 cosine warmup\n task clasify a from b\n tune lora { rank }\n stop after 2 validations\n device\n}".into(),
        "annot 1\nevaluate a on b { }\ntest x { }\nuse \"a\" b\nlet x 3\nfn f(a) = 3".into(),
        "annot 1\nlet x = a.b(3)\nlet y = [1, 2,, 3]\nlet z = f(1 2)\nlet w = 20 %\nlet v = x ? 3\nlet u = a is 3\nlet t = a in".into(),
        "annot 1 source a { }\nsource b { } source c { }".into(),
        format!("annot 1\nlet x = {}1{}\nlet y = 3 3", "(".repeat(70), ")".repeat(70)),
        format!("annot 1\nlet x = {}1", "1 + ".repeat(300)),
    ];
    for case in cases {
        println!("=== {}", &case[..case.len().min(300)]);
        for line in mistakes(&case) {
            println!("  -> {line}");
        }
    }
}
