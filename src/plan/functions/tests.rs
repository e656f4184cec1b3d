use std::path::PathBuf;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use proptest::prelude::*;
use unicode_normalization::UnicodeNormalization;
use unicode_segmentation::UnicodeSegmentation;

use super::*;
use crate::eval::CausalModel;
use crate::eval::tests::write_pairs;
use crate::runtime::testing::library;
use crate::train::tokenizer::Tokenizer;

/// The models of the examples: a tokenizer that is learnt here, and where there is a runtime a model of pairs of its tokens.
static BASE: LazyLock<()> = LazyLock::new(|| {
    let sentences = [
        "My card has not arrived, where is my card?",
        "The card was swallowed by the machine.",
        "Where is the nearest machine? Where?",
        "Is it here?",
    ];
    let folder = tempfile::tempdir().expect("a folder");
    write_pairs(folder.path(), &sentences);
    let learnt = Tokenizer::load(folder.path()).expect("the tokenizer can be read");
    provide_tokenizer("base", Arc::new(learnt));
    if let Some(runtime) = library() {
        let model = CausalModel::open(runtime, folder.path()).expect("the model is causal");
        provide_language_model("base", Arc::new(model));
    }
});

/// Held while the model of the examples is run: it has the session that it was opened with, and its folder is gone.
static RUNNING: Mutex<()> = Mutex::new(());

/// The functions; without those that run a model where there is no runtime.
fn testable() -> impl Iterator<Item = &'static Function> {
    let runs = |function: &Function| function.parameters.iter().any(|one| one.kind == ParameterKind::LanguageModel);
    all().iter().filter(move |function| !runs(function) || library().is_some())
}

/// A call's result as the examples write it.
fn written(function: &'static Function, text: &str, constants: &[Argument<'_>]) -> String {
    LazyLock::force(&BASE);
    let constants = Constants::prepare(function, constants).expect("the constants are those of the function");
    let of = Parts::of(text);
    match function.eval {
        Eval::Text(eval) => eval(text, &constants).into_owned(),
        Eval::TextOrNull(eval) => eval(&of, &constants).unwrap_or_else(|| "null".to_owned()),
        Eval::Count(eval) => eval(&of, &constants).to_string(),
        Eval::CountOrNull(eval) => eval(&of, &constants).map_or_else(|| "null".to_owned(), |number| number.to_string()),
        Eval::Ratio(eval) | Eval::Amount(eval) => {
            eval(&of, &constants).map_or_else(|| "null".to_owned(), |number| number.to_string())
        }
        Eval::Judged(eval) => {
            let _one_at_a_time = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
            let judged = eval(&of, &constants).unwrap_or_else(|error| panic!("{}: {error}", function.name));
            judged.map_or_else(|| "null".to_owned(), |number| number.to_string())
        }
    }
}

fn text(name: &str, input: &str) -> String {
    written(lookup(name).expect("the table has the function"), input, &[])
}

#[test]
fn examples_give_what_they_show() {
    for function in testable() {
        for example in function.examples {
            let result = written(function, example.input, example.constants);
            assert_eq!(result, example.output, "{}", function.call(example));
        }
    }
}

#[test]
fn rows_are_complete_and_names_differ() {
    for function in all() {
        assert_eq!(function.result, function.eval.result(), "{}", function.name);
        assert!(function.examples.len() >= 3, "{} has too few examples", function.name);
        assert!(function.examples.iter().any(|example| example.input.is_empty()), "{} of nothing?", function.name);
        assert!(!function.summary.ends_with('.') && function.docs.ends_with('.'), "{}", function.name);
        assert!(lookup(function.name).is_some_and(|found| found.docs == function.docs), "{} twice", function.name);
    }
    assert!(lookup("no_such_function").is_none());
}

/// Texts in which markup, mojibake, accents, spaces and controls meet.
fn texts() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        "[<>&;#/a-c =\"'!-]{1,8}",
        Just("<b>".to_owned()),
        Just("</script>".to_owned()),
        Just("<script>".to_owned()),
        Just("<!--".to_owned()),
        Just("<a href=\"".to_owned()),
        Just("&amp;".to_owned()),
        "[\u{80}-\u{ff}\u{20ac}\u{201a}\u{2122}\u{178} ]{1,6}",
        "[a-z\u{301}\u{e9}\u{3a3} \u{a0}\n\t]{1,6}",
        "\\PC{0,4}",
    ];
    prop_oneof![prop::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat()), any::<String>()]
}

proptest! {
    #[test]
    fn no_text_stops_a_function(input in texts()) {
        for function in testable() {
            for example in function.examples {
                let result = written(function, &input, example.constants);
                let number = result.parse::<f64>();
                match function.eval {
                    Eval::Text(_) | Eval::TextOrNull(_) => {}
                    Eval::Count(_) => prop_assert!(number.is_ok_and(|number| number >= 0.0)),
                    Eval::CountOrNull(_) => prop_assert!(number.is_ok_and(|number| number >= 0.0) || result == "null"),
                    Eval::Ratio(_) => prop_assert!(number.is_ok_and(|number| (0.0..=1.0).contains(&number)) || result == "null"),
                    Eval::Amount(_) => prop_assert!(number.is_ok_and(|number| number >= 0.0 && number.is_finite()) || result == "null"),
                    Eval::Judged(_) => prop_assert!(number.is_ok_and(|number| number >= 1.0 && number.is_finite()) || result == "null"),
                }
            }
        }
    }

    #[test]
    fn twice_is_once(input in texts()) {
        let settled = ["nfc", "nfkc", "collapse_whitespace", "strip_control", "lowercase", "trim_lines", "normalize_quotes"];
        for name in settled {
            let once = text(name, &input);
            prop_assert_eq!(text(name, &once), once, "{}", name);
        }
    }

    /// Where a function looks first whether anything can change, it gives what it would give without looking.
    #[test]
    fn a_shortcut_changes_nothing(input in texts(), ascii in "[ -~\t\n\r\u{0}\u{b}\u{7f}]{0,20}") {
        for input in [input, ascii] {
            prop_assert_eq!(text("nfc", &input), input.nfc().collect::<String>());
            prop_assert_eq!(text("nfkc", &input), input.nfkc().collect::<String>());
            prop_assert_eq!(text("lowercase", &input), input.to_lowercase());
            let words: Vec<&str> = input.split_whitespace().collect();
            prop_assert_eq!(text("collapse_whitespace", &input), words.join(" "));
            let control = |one: &char| !one.is_control() || matches!(one, '\t' | '\n' | '\r');
            let marks = |one: &char| !matches!(one, '\u{feff}' | '\u{206a}'..='\u{206f}' | '\u{fff9}'..='\u{fffb}');
            let stripped: String = input.chars().filter(control).filter(marks).collect();
            prop_assert_eq!(text("strip_control", &input), stripped);
            prop_assert_eq!(text("words", &input), input.unicode_words().count().to_string());
            let of = input.chars().filter(|one| !one.is_whitespace()).count();
            let letters = input.chars().filter(|one| one.is_alphabetic() && !one.is_whitespace()).count();
            let share = if of == 0 { "null".to_owned() } else { (letters as f64 / of as f64).to_string() };
            prop_assert_eq!(text("alpha_ratio", &input), share);
        }
    }

    /// The lines that are kept are those that are asked for, in order.
    #[test]
    fn lines_are_kept_whole(lines in prop::collection::vec("[ab ]{0,3}", 0..6), end in "(\n)?", cr in "\r?") {
        let input = lines.join(&format!("{cr}\n")) + &end;
        let kept = written(lookup("keep_lines").expect("it is there"), &input, &[Argument::Text("a")]);
        let expected: Vec<&str> = input.lines().filter(|line| line.contains('a')).collect();
        prop_assert_eq!(kept.lines().collect::<Vec<_>>(), expected.clone());
        prop_assert_eq!(kept.ends_with('\n'), input.ends_with('\n') && !expected.is_empty());
    }

    /// What holds neither `<` nor `&` is no HTML; what holds an unclosed `<` loses nothing.
    #[test]
    fn html_leaves_text_alone(plain in "[^<&]{0,40}", comparison in "[a-z0-9 <(=]{0,40}") {
        prop_assert_eq!(text("strip_html", &plain), plain);
        prop_assert_eq!(text("strip_html", &comparison), comparison);
    }

    /// A tag around and between words goes without a trace, its attributes with it.
    #[test]
    fn html_tags_go(words in prop::collection::vec("[a-z]{1,5}", 1..5), value in "[^\"&]{0,8}") {
        let html: String = words.iter().map(|word| format!("<span title=\"{value}\">{word}</span >")).collect();
        prop_assert_eq!(text("strip_html", &html), words.concat());
    }

    /// What one misreading made of a text of words, quotes and accents is undone.
    #[test]
    fn misread_words_come_back(words in prop::collection::vec("[a-z]{1,4}(\u{e9}|\u{fc}|\u{f1}|\u{2019}s|\u{161}|\u{43f}\u{440}|\u{1f600})[a-z]{1,4}", 1..5)) {
        let good = words.join(" ");
        let misread: String = good.bytes().map(char::from).collect();
        prop_assert_eq!(text("fix_encoding", &misread), good.clone());
        prop_assert_eq!(text("fix_encoding", &good), good);
    }
}

/// The first column of a CSV file in `../shared`; `None`, said aloud, where the folder is not there and need not be.
fn questions(path: &str) -> Option<Vec<String>> {
    let full = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared").join(path);
    let file = match std::fs::read_to_string(&full) {
        Ok(file) => file,
        Err(error) if std::env::var_os("ANNOTC_REQUIRE_SHARED").is_some_and(|value| value == "1") => {
            panic!("{path} is required: {error}")
        }
        Err(_) => {
            eprintln!("skipped: {path} is not there");
            return None;
        }
    };
    let mut questions = Vec::new();
    let mut rest = file.split_once('\n')?.1;
    while !rest.is_empty() {
        let (mut question, mut at) = (String::new(), 0);
        if rest.starts_with('"') {
            loop {
                let quote = at + 1 + rest[at + 1..].find('"')?;
                question.push_str(&rest[at + 1..quote]);
                if !rest[quote + 1..].starts_with('"') {
                    at = quote + 1;
                    break;
                }
                question.push('"');
                at = quote + 1;
            }
        } else {
            at = rest.find(',')?;
            question.push_str(&rest[..at]);
        }
        questions.push(question);
        rest = rest[at..].split_once('\n').map_or("", |(_, next)| next);
    }
    Some(questions)
}

#[test]
fn english_questions_are_kept_and_whole() {
    let (Some(mut all_questions), Some(test)) =
        (questions("data/banking77/train.csv"), questions("data/banking77/test.csv"))
    else {
        return;
    };
    all_questions.extend(test);
    assert_eq!(all_questions.len(), 13_083);
    let mut other = Vec::new();
    let (mut english, mut changed) = (0, Vec::new());
    for question in &all_questions {
        match text("language", question).as_str() {
            "en" => english += 1,
            "null" => {}
            code => other.push(format!("{code}: {question}")),
        }
        let fixed = text("fix_encoding", question);
        if fixed != *question {
            changed.push(format!("{question} -> {fixed}"));
        }
    }
    println!("{english} English, {} not English, {} unsure", other.len(), all_questions.len() - english - other.len());
    println!("{}\nrepaired: {changed:#?}", other.join("\n"));
    assert!(other.len() <= 13, "{} of 13083", other.len());
}
