//! One edit of a valid specification, and the one finding that it leads to: its code, the text that it points at, and
//! what the help says.

use super::{all_shown, check};

const BASE: &str = include_str!("base.annot");

/// What is replaced, by what; the code; the text under the primary place; a part of the help.
pub(super) type Case<'c> = (&'c str, &'c str, &'c str, &'c str, &'c str);

/// An edit that adds at the end.
pub(super) const END: &str = "";

fn edited(from: &str, to: &str) -> String {
    if from == END {
        return format!("{BASE}{to}\n");
    }
    assert!(BASE.contains(from), "the base has no {from:?}");
    BASE.replacen(from, to, 1)
}

/// Checks that each edit leads to the one finding that it says.
pub(super) fn check_cases(cases: &[Case<'_>]) {
    let mut wrong = String::new();
    for (from, to, code, place, help) in cases {
        let checked = check(&edited(from, to));
        let found: Vec<(&str, &str)> = checked
            .found
            .iter()
            .chain(checked.refused.iter().filter(|_| checked.found.is_empty()))
            .map(|found| (found.code.id(), checked.files.text(found.labels[0].span)))
            .collect();
        let helps = checked
            .found
            .iter()
            .chain(&checked.refused)
            .any(|found| found.help.as_ref().is_some_and(|text| text.contains(help)));
        if found != [(*code, *place)] || !helps {
            let all = all_shown(&checked, &checked.found) + &all_shown(&checked, &checked.refused);
            wrong +=
                &format!("== {from:?} -> {to:?}\nexpected {code} at {place:?}, help with {help:?}; found:\n{all}\n");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn the_base_is_right() {
    let checked = check(BASE);
    assert!(checked.found.is_empty() && checked.refused.is_empty(), "{}", all_shown(&checked, &checked.found));
}

#[test]
fn names() {
    check_cases(&[
        ("from questions, heldout", "from question, heldout", "E0101", "question", "`questions`"),
        ("clean tidy\n  label", "clean tydy\n  label", "E0101", "tydy", "`tidy`"),
        ("policy bank\n  split", "policy bnk\n  split", "E0101", "bnk", "`bank`"),
        ("from route", "from rout", "E0101", "rout", "`route`"),
        ("model tiny\n", "model tinny\n", "E0101", "tinny", "`tiny`"),
        ("data banking", "data bankin", "E0101", "bankin", "`banking`"),
        ("evaluate router", "evaluate roter", "E0101", "roter", "`router`"),
        ("test tidy \"keeps\"", "test tidi \"keeps\"", "E0101", "tidi", "`tidy`"),
        ("  label mood =", "  label moood =", "E0101", "moood", "`mood`"),
        ("model tiny\n", "model banking\n", "E0103", "banking", "`tiny`"),
        (END, "let tiny = 1", "E0102", "tiny", "another name"),
        ("  tune all\n", "  tune all\n  tune head\n", "E0104", "tune head", "one of them"),
        ("  data banking\n", "", "E0105", "router", "data banking"),
        ("  epochs 3\n", "", "E0105", "router", "epochs 3"),
        ("  path \"data/heldout.jsonl\"\n", "", "E0105", "heldout", "path"),
        (END, "let unused = 1", "W0106", "unused", "take it out"),
        (END, "let mixed = [1, \"a\"]", "E0209", "\"a\"", "two lists"),
        (
            END,
            "fn round(s: string) = round(s)\nlet x = round(\"a\")\nclean c { drop \"x\" when x == \"a\" }\n",
            "E0107",
            "round",
            "",
        ),
        (
            END,
            "source t { path \"t.csv\"; fields { a: string, b: string } }\ndataset z { from t; split train 100% }",
            "E0001",
            ",",
            "`;`",
        ),
        ("from questions, heldout", "from questions, heldout, heldout", "E0108", "heldout", "take one"),
        ("weight_decay 0.01", "weight_decay 0.01; rnk 3", "E0109", "rnk", "options"),
        ("tune all", "tune lora { rnk 8 }", "E0109", "rnk", "`rank`"),
        ("tune all", "tune lora { dora yes }", "E0110", "yes", "`on`"),
        ("tune all", "tune lora { base int3 }", "E0110", "int3", "`int"),
        ("tune all", "tune lora { base 4 }", "E0206", "base 4", "a word"),
        ("tune all", "tune all { base int4 }", "E0109", "base", "tune lora { base"),
        ("tune all", "tune head { rate 3 }", "E0109", "rate", "no options here"),
        ("cosine warmup", "cosin warmup", "E0110", "cosin", "`cosine`"),
        ("cosine warmup", "cosine decay 10% warmup", "E0109", "10%", "`wsd`"),
        ("cosine warmup", "wsd decay 95% warmup", "E0215", "95%", "100%"),
        ("tune all", "tune all; device cpu else cuda", "E0110", "cuda", "`device cuda else cpu`"),
        ("tune all", "tune al", "E0110", "al", "`all`"),
        ("optimizer adamw", "optimizer lionn", "E0110", "lionn", "`lion`"),
        ("weight_decay 0.01", "weight_decay 0.01; momentum 0.9", "E0109", "momentum", "options"),
        ("adamw { weight_decay 0.01 }", "sgd { nesterov on }", "E0105", "nesterov on", "`momentum 0.9`"),
        ("write jsonl", "write jsonl as `a/b`", "E0111", "`a/b`", "letters"),
    ]);
}

#[test]
fn types() {
    check_cases(&[
        ("words(text) < shortest", "words(txt) < shortest", "E0201", "txt", "`text`"),
        ("set category = code", "set categry = code", "E0201", "categry", "`category`"),
        ("dedup text", "dedup txet", "E0201", "txet", "`text`"),
        ("|> nfc", "|> nfd", "E0202", "nfd", "`nfc`"),
        ("words(text) < shortest", "count() < shortest", "E0202", "count", "policy"),
        ("stars: int\n", "stars: intt\n", "E0203", "intt", "`int`"),
        ("text: string @personal\n", "text: string @personel\n", "E0204", "personel", "`personal`"),
        ("words(text) < shortest", "words(text, 3) < shortest", "E0205", "words(text, 3)", "|>"),
        ("words(text) < shortest", "words(stars) < shortest", "E0206", "stars", "`string`"),
        ("words(text) < shortest", "words(text) + text < shortest", "E0206", "words(text)", "conversion"),
        ("words(text) < shortest", "words(text)", "E0207", "words(text)", "> 0"),
        ("words(text) < shortest", "code == null", "E0208", "null", "code is null"),
        ("words(text) < shortest", "words(text) < \"3\"", "E0209", "<", "quotes: `3`"),
        ("set text = tidied(text)", "set text = language(text)", "E0210", "language(text)", "??"),
        ("drop \"no code\" when code is null or chars(text) > 900\n", "", "E0210", "code", "??"),
        ("code is null or chars", "code is null and chars", "E0210", "code", "??"),
        (
            "text: string @personal; category: string; stars: int",
            "text: string @personal; category: string; stars: float",
            "E0211",
            "heldout",
            "@column",
        ),
        ("/\\bcorp\\b/", "/(corp/", "E0212", "(", "regex"),
        ("/\\bcorp\\b/", "/\\/\\/[z-a]/", "E0212", "z-a", "regex"),
        ("; else => drop }", " }", "E0213", "stars match { 1, 2 => bad; 4, 5 => good }", "else => drop"),
        ("4, 5 => good", "2, 5 => good", "E0214", "2", "take one"),
        ("else => drop }", "else => drop; 3 => good }", "E0214", "3 => good", "last"),
        ("tune all", "tune lora { targets 3 }", "E0206", "targets 3", "names of layers"),
        (
            "tune all",
            "tune lora { targets [\"query\", \"\"] }",
            "E0206",
            "targets [\"query\", \"\"]",
            "names of layers",
        ),
        ("tune all", "tune lora { dropout 0.1 }", "E0216", "0.1", "`10%`"),
        ("tune all", "tune lora { dropout 100% }", "E0215", "100%", "at most 99%"),
        ("tune all", "tune lora { rank 0 }", "E0215", "0", "at least 1"),
        ("batch 32", "batch 0", "E0215", "0", "at least 1"),
        ("rate 3e-4", "rate 0", "E0215", "0", "above 0"),
        ("warmup 10%", "warmup 110%", "E0215", "110%", "at most 100"),
        (
            "epochs 3\n  batch 32\n  rate 3e-4 cosine warmup 10%",
            "steps 5\n  batch 32\n  rate 3e-4 cosine warmup 100 steps",
            "E0215",
            "100 steps",
            "`steps 5`",
        ),
        (
            "epochs 3\n  batch 32\n  rate 3e-4 cosine warmup 10%",
            "rate 3e-4 wsd warmup 60% decay 3 steps\n  batch 32\n  steps 5",
            "E0215",
            "3 steps",
            "a share of it",
        ),
        ("near 0.85", "near 1.5", "E0215", "1.5", "at most 1"),
        ("64 tokens", "64 words", "E0216", "words", "tokens"),
        ("train 90%", "train 90", "E0216", "90", "`90%`"),
        ("train 90%", "train 0.9", "E0216", "0.9", "`90%`"),
        ("near 0.85", "near 85%", "E0216", "85%", "`0.85`"),
        ("rate 3e-4", "rate 0.07%", "E0216", "0.07%", "`0.0007`"),
        (
            "require count() >= 20 per",
            "require share(intent) <= 40% per",
            "E0205",
            "intent",
            "`require share() … per FIELD`",
        ),
        ("path \"data/questions.csv\"", "path \"\"", "E0217", "\"\"", "name a file"),
        ("data/questions.csv", "data/questions.xlsx", "E0218", "path \"data/questions.xlsx\"", "format"),
        ("write jsonl", "write jsonnl", "E0218", "jsonnl", "`jsonl`"),
        ("words(text) < shortest", "stars in [words(text)]", "E0219", "words(text)", "let"),
        ("set category = code", "set category = code match { a => drop; else => \"b\" }", "E0220", "drop", "clean"),
        ("text: string @personal\n", "text: string @personal @key(a)\n", "E0221", "@key(a)", "parentheses"),
    ]);
}

#[test]
fn rules_and_compliance() {
    check_cases(&[
        (
            "words(text) < shortest",
            "shortest > 9 and text is null",
            "W0301",
            "shortest > 9 and text is null",
            "take the rule out",
        ),
        (
            "words(text) < shortest",
            "shortest > 9 or words(text) < 0",
            "W0301",
            "shortest > 9 or words(text) < 0",
            "take the rule out",
        ),
        (
            "  dedup text exactly\n",
            "  dedup text exactly\n  dedup text exactly\n",
            "W0302",
            "dedup text exactly",
            "take one",
        ),
        (
            "allow license in [\"CC-BY-4.0\", \"MIT\"]",
            "allow license in [\"CC-BY-4.0\"]",
            "E0402",
            "heldout",
            "allow its licence",
        ),
        ("  license \"MIT\"\n", "", "E0402", "heldout", "license"),
        ("@personal: email, phone", "@personal: emial, phone", "E0403", "emial", "`email`"),
        ("license \"MIT\"", "license \"CC BY\"", "E0404", "\"CC BY\"", "did you mean `CC-BY-"),
        (
            "license \"CC-BY-4.0\"",
            "license \"CC-BY-4.0 OR CC-BY-4\"",
            "W0405",
            "\"CC-BY-4.0 OR CC-BY-4\"",
            "`CC-BY-4.0`",
        ),
        (
            "data/questions.csv",
            "https://ann:pw@example.org/questions.csv",
            "E0407",
            "\"https://ann:pw@example.org/questions.csv\"",
            "environment",
        ),
    ]);
}

#[test]
fn templates_and_parts() {
    check_cases(&[
        ("{{ text }}", "{{ text|uper }}", "E0501", "uper", "`upper`"),
        ("{{ text }}", "{% if text %}", "E0501", "%}", "Jinja"),
        ("{{ text }}", "{{ txt }}", "E0502", "txt", "`text`"),
        ("{{ text }}", "{text} {nothing}", "W0510", "{text}", "`{{ text }}`"),
        ("intent.title", "intent.titel", "E0502", "intent.titel", "`title`"),
        ("  assistant \"{{ intent.title }}\"\n", "", "E0503", "route", "assistant"),
        ("system \"Route.\"", "prompt \"Route.\"", "E0504", "prompt", "slots"),
        ("template route: chat", "template route: chats", "E0505", "chats", "`chat`"),
        ("write jsonl", "write jsonl from route", "E0507", "route", "take"),
        ("write messages from route", "write messages", "E0507", "messages", "from NAME"),
        ("train 90%", "train 80%", "E0601", "80%, validation 10%", "`20%`"),
        ("test from heldout", "test from questions, test2 from heldout", "E0601", "90%", "take the shares out"),
        ("from questions, heldout", "from questions", "E0602", "heldout", "add `heldout`"),
        ("train 90%", "training 90%", "E0603", "training", "train 90%"),
        ("banking.test", "banking.tst", "E0604", "tst", "`test`"),
    ]);
}

#[test]
fn runs_figures_and_labels() {
    check_cases(&[
        ("banking.test", "banking.train", "E0902", "train", "test"),
        ("report accuracy", "report acuracy", "E0903", "acuracy", "`accuracy`"),
        ("report accuracy", "report perplexity", "E0903", "perplexity", "`accuracy`"),
        ("report accuracy", "report bleu", "E0903", "bleu", "`ece`"),
        ("report accuracy", "generate greedy; report accuracy", "E0905", "generate greedy", "`generate`"),
        ("f1.macro", "f1.marco", "E0903", "marco", "`macro`"),
        ("f1.macro", "f1", "E0903", "f1", "f1.macro"),
        ("f1.macro >= 0.85", "recall[refnd] >= 0.85", "E1001", "refnd", "`refund`"),
        ("f1.macro >= 0.85", "f1.macro >= 85", "E0215", "85", "between 0 and 1"),
        ("f1.macro >= 0.85", "gap(accuracy, by mood) <= 5%", "E0903", "mood", "slices"),
        ("epochs 3", "epochs 3\n  pack on", "E0905", "pack on", "only `generate`"),
        ("tune all", "tune head; recompute on", "E0905", "recompute on", "take it out"),
        ("epochs 3", "epochs 3\n  recompute often", "E0110", "often", "`on`"),
        ("epochs 3", "epochs 3\n  precision half", "E0110", "half", "`bf16`"),
        ("heads 4", "heads 3", "E0904", "3", "129"),
        ("classify intent from", "classify nothing from", "E0101", "nothing", "`intent`"),
        ("  epochs", "  beta 0.5\n  epochs", "E0905", "beta 0.5", "`task prefer from TEMPLATE`"),
        (
            END,
            "model decoder { onnx \"models/decoder\" }\n\
             train writer { model decoder; data banking; task generate from route; epochs 1; optimizer lion { head_rate 1e-3 } }",
            "E0905",
            "head_rate 1e-3",
            "take it out",
        ),
        (
            END,
            "source notices { path \"n.jsonl\"; license \"MIT\"; fields { said: string; marks: list<{ start: int, end: int, label: string }> } }\n\
             label people: spans over said { PERSON } overlap no\n\
             dataset marked { from notices; label people = marks; split train 80%, validation 10%, test 10%; write jsonl }\n\
             model pooled { onnx \"models/encoder\"; pooling cls }\n\
             train finder { model pooled; data marked; task tag people; epochs 1 }",
            "E0905",
            "pooled",
            "take `pooling` out",
        ),
        (
            "  label mood = stars",
            "  label intent = category else drop\n  label mood = stars",
            "E0104",
            "label intent = category else drop",
            "one of them",
        ),
        ("expect drop \"too short\"", "expect drop \"too shrt\"", "E0906", "\"too shrt\"", "`too short`"),
        (
            "  expect { text: \"a b c\" }\n",
            "  expect { text: \"a b c\" }\n  expect drop\n",
            "E0907",
            "\"keeps\"",
            "in order",
        ),
        ("given { text: \"a\", code", "given { text: \"a\", cod", "E0201", "cod", "`code`"),
        ("expect { text: \"a b c\" }", "expect { txt: \"a b c\" }", "E0201", "txt", "`text`"),
        ("2 => bad", "2 => bd", "E1001", "bd", "`bad`"),
        ("choice { good; bad }", "choice { good; bad; good }", "E1002", "good", "keep one"),
        (END, "label far: choice from \"labels/twice.yaml\"", "E1003", "\"labels/twice.yaml\"", "YAML"),
    ]);
}

#[test]
fn constants_of_functions() {
    const CALL: &str = "words(text) < shortest";
    const SET: &str = "set text = tidied(text)";
    check_cases(&[
        (CALL, "top_ngram(text) > 0.2", "E0205", "top_ngram(text)", "`top_ngram(text: string, n: int) -> float?`"),
        (
            CALL,
            "text |> repeated_lines(chars, chars) > 0.2",
            "E0205",
            "text |> repeated_lines(chars, chars)",
            "by: count",
        ),
        (CALL, "top_ngram(text, 0) > 0.2", "E0215", "0", "from 1 to 100"),
        (CALL, "top_ngram(text, stars) > 0.2", "E0219", "stars", "`let`"),
        (CALL, "top_ngram(text, \"2\") > 0.2", "E0206", "\"2\"", "`int`"),
        (CALL, "repeated_lines(text, letters) > 0.2", "E0110", "letters", "`count`"),
        (CALL, "repeated_lines(text, stars + 1) > 0.2", "E0110", "stars + 1", "`chars`"),
        (CALL, "top_ngram(stars, 2) > 0.2", "E0206", "stars", "`string`"),
        (SET, "set text = replace(text, \"a\", \"b\")", "E0206", "\"a\"", "between slashes"),
        (SET, "set text = replace(text, /a(/, \"b\")", "E0212", "(", "`regex` crate"),
        (SET, "set text = replace(text, /a/, code)", "E0219", "code", "`string`"),
        (SET, "set text = truncate(text, 9, letter)", "E0110", "letter", "`word`"),
        (CALL, "tokens(text, tiny) > 9", "E0010", "tiny", "`onnx"),
        (CALL, "tokens(text, tidy) > 9", "E0103", "tidy", "`tiny`"),
        (CALL, "tokens(text, \"tiny\") > 9", "E0206", "\"tiny\"", "name the model"),
        (
            CALL,
            "perplexity(text) > 9",
            "E0205",
            "perplexity(text)",
            "`perplexity(text: string, model: model) -> float?`",
        ),
        (CALL, "perplexity(text, tiny) > 9", "E0010", "tiny", "`onnx"),
        (CALL, "perplexity(text, \"tiny\") > 9", "E0206", "\"tiny\"", "name the model"),
    ]);
}
