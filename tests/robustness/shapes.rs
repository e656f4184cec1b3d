//! Texts that grow in one direction.

/// What stands before and after the piece that is repeated; in it, `#` is the number of the repetition.
type Shape = (&'static str, &'static str, &'static str, &'static str);

/// A source and a label, for what needs one.
const SOURCE: &str = "annot 1
source s { path \"a.csv\"; license \"CC0-1.0\"; fields { text: string; kind: string; n: int } }
label l: choice { a; b }
";

/// Rules of one block.
const RULES: &str = "SOURCE clean c {\n";
const OF_RULES: &str = "}\ndataset d { from s; clean c; split train 90%, test 10%; write jsonl }";

/// Statements of one policy.
const POLICY: &str = "SOURCE policy p {\n";
const OF_POLICY: &str = "}\ndataset d { from s; label l = kind; policy p; split train 90%, test 10%; write jsonl }";

/// Statements of one data set.
const DATASET: &str = "SOURCE dataset d { from s; split train 90%, test 10%;\n";

/// The answer of one template.
const ANSWER: &str = "SOURCE template t: chat { user \"{{ text }}\"; assistant \"";
const OF_ANSWER: &str = "\" }\ndataset d { from s; split train 90%, test 10%; write messages from t }";

/// A block and its tests.
const TESTS: &str =
    "SOURCE clean c { drop \"a\" when n > 1 }\ndataset d { from s; clean c; split train 100%; write jsonl }\n";

/// The licence of one source.
const LICENCE: &str = "annot 1\nsource s { path \"a.csv\"; license \"";
const OF_LICENCE: &str =
    "MIT\"; fields { a: int } }\ndataset d { from s; purpose \"commercial\"; split train 100%; write jsonl }";

const SHAPES: &[Shape] = &[
    ("constants", "annot 1\n", "let c# = #\n", ""),
    ("constants that need one another", "annot 1\n", "let c# = c0# + 1\nlet c0# = c1 + 1\n", ""),
    (
        "functions that double",
        "annot 1\nfn f0(x: int) = x\n",
        "fn f1#(x: int) = f#(x) + f#(x)\nfn f#(x: int) = f0(x)\n",
        "",
    ),
    ("one name", "annot 1\n", "let x = 1\n", ""),
    ("mistakes", "annot 1\n", "let = 1\n", ""),
    ("mistakes on one line", "annot 1;", "let = 1; ", ""),
    ("unknown names", "annot 1\n", "let c# = d#\n", ""),
    ("unknown names on one line", "annot 1;", "let c# = d#; ", ""),
    ("documents", "annot 1\n", "/// a\n", "let x = 1"),
    ("a string", "annot 1\nlet x = \"", "\\n", "\""),
    ("sums", "annot 1\nlet x = ", "1 + ", "1"),
    (
        "fields",
        "annot 1\nsource s { path \"a.csv\"; fields {\n",
        "f#: string?\n",
        "} }\ndataset d { from s; split train 100%; write jsonl }",
    ),
    ("values", "annot 1\nlabel l: choice {\n", "v# \"V#\" key \"k#\"\n", "}"),
    ("a tree", "annot 1\nlabel l: choice {\n", "v# { a#; b# }\n", "}"),
    ("constraints", "SOURCE label m: scale 1..5 {\n", "when l == a require m >= 3\n", "}"),
    ("rules", RULES, "drop \"r#\" when words(text) == # and kind != \"k#\"\n", OF_RULES),
    ("equal rules", RULES, "drop \"r\" when n > 1\n", OF_RULES),
    ("steps", RULES, "set text = text |> nfc\ndedup text exactly\n", OF_RULES),
    ("lists", RULES, "drop \"r#\" when kind in [\"a#\", \"b#\", \"c#\", \"d#\", \"e#\", \"f#\"]\n", OF_RULES),
    (
        "items",
        "SOURCE clean c { drop \"a\" when n in [",
        "#, ",
        "1] \n}\ndataset d { from s; clean c; split train 100%; write jsonl }",
    ),
    (
        "arms",
        "SOURCE clean c { set n = n match {\n",
        "# => #\n",
        "else => 0 } }\ndataset d { from s; clean c; split train 100%; write jsonl }",
    ),
    (
        "conditions",
        "SOURCE clean c { drop \"a\" when ",
        "n != # and ",
        "n > 1 }\ndataset d { from s; clean c; split train 100%; write jsonl }",
    ),
    (
        "a pipe",
        "SOURCE clean c { set text = text ",
        "|> nfc ",
        "}\ndataset d { from s; clean c; split train 100%; write jsonl }",
    ),
    (
        "a regex",
        "SOURCE clean c { drop \"a\" when text matches /",
        "(a|b)",
        "/ }\ndataset d { from s; clean c; split train 100%; write jsonl }",
    ),
    ("demands", POLICY, "require count() >= # per l\nrequire share() <= 90% per l\n", OF_POLICY),
    ("reasons", POLICY, "forbid \"r#\" when text matches /a#b/ else drop\n", OF_POLICY),
    (
        "detectors",
        "SOURCE policy p { redact text: ",
        "email, ",
        "email }\ndataset d { from s; policy p; split train 100%; write jsonl }",
    ),
    ("sources", "annot 1\ndataset d { split train 100%; write jsonl; from ", "s#, ", "s }"),
    ("parts", "SOURCE dataset d { from s; write jsonl; split ", "p# 1%, ", "test 1% }"),
    ("outputs", DATASET, "write jsonl as w#\n", "}"),
    ("data sets", SOURCE, "dataset d# { from s; split train 90%, test 10%; write jsonl }\n", ""),
    ("prints", ANSWER, "{{ kind }} ", OF_ANSWER),
    ("unknown variables", ANSWER, "{{ v# }} ", OF_ANSWER),
    ("decisions", ANSWER, "{% if kind == '#' %}{{ kind }}{% endif %} ", OF_ANSWER),
    ("tests", TESTS, "test c \"t#\" { given { n: # }; expect drop \"a\" }\n", ""),
    ("equal tests", TESTS, "test c \"t\" { given { n: 5 }; expect drop \"a\" }\n", ""),
    ("uses", "annot 1\n", "use \"missing#.annot\": a#\n", ""),
    ("used names", "annot 1\nuse \"missing.annot\": ", "a#, ", "a"),
    ("licences", LICENCE, "MIT AND ", OF_LICENCE),
    ("licences to choose from", LICENCE, "(MIT OR CC0-1.0) AND ", OF_LICENCE),
    ("figures", "annot 1\nevaluate r on d.test { report ", "accuracy, ", "f1 }"),
    ("edges", "annot 1\nevaluate r on d.test { by words(text) at [", "#, ", "9999999] }"),
];

/// Each shape, of about this many bytes.
pub fn grown(bytes: usize) -> impl Iterator<Item = (&'static str, String)> {
    SHAPES.iter().map(move |(name, before, piece, after)| {
        let mut text = before.replacen("SOURCE", SOURCE, 1);
        let end = text.len() + bytes;
        for number in 1.. {
            if text.len() >= end {
                break;
            }
            text += &piece.replace('#', &number.to_string());
        }
        (*name, text + after)
    })
}
