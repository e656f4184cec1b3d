//! The language server as an editor meets it: a process, frames over its standard input and output.

mod client;
mod exchange;
mod protocol;

use serde_json::{Value, json};

use crate::support::Project;
use client::{Editor, at, edited};

/// A specification that is right, its data beside it.
const SPEC: &str = r#"annot 1

/// What customers wrote.
source notes {
  path    "notes.jsonl"
  license "CC0-1.0"
  fields {
    text: string @personal
    /// Who was it about?
    team: string
    mail: string
    topic: string
  }
}
label topic: choice {
  /// A card was lost.
  card "Cards"
  loan
}
clean tidy {
  set  text = text |> collapse_whitespace
  drop "short" when words(text) < 3
}
policy house {
  redact @personal: email
}
template ask: chat {
  user      "{{ text }}"
  assistant "{{ topic }}"
}
dataset all {
  from   notes
  clean  tidy
  label  topic = topic match { "c" => card; else => drop }
  policy house
  split  train 90%, test 10% seed 7
  write  messages from ask
}
"#;

const DATA: &[u8] = br#"{"text":"the card of ann is lost","team":"north","mail":"ann@example.org","topic":"c"}
{"text":"a loan please","team":"south","mail":"bob@example.org","topic":"l"}
"#;

fn project() -> Project {
    Project::new(&[("all.annot", SPEC.as_bytes()), ("notes.jsonl", DATA)])
}

fn codes(diagnostics: &Value) -> Vec<&str> {
    diagnostics.as_array().expect("a list").iter().map(|it| it["code"].as_str().expect("a code")).collect()
}

#[test]
fn a_change_changes_the_findings() {
    let mut editor = Editor::start(project());
    assert_eq!(editor.open("all.annot", SPEC), json!([]));
    let wrong = SPEC.replace("words(text)", "wrods(text)");
    let found = editor.change("all.annot", &wrong);
    assert_eq!(codes(&found), ["E0202"], "{found}");
    let finding = &found[0];
    assert_eq!(finding["range"]["start"], at(&wrong, "wrods"));
    assert_eq!(finding["severity"], 1);
    assert_eq!(finding["source"], "annotc");
    assert_eq!(finding["data"]["name"], "unknown-function");
    assert_eq!(finding["message"], "there is no function `wrods`\nhelp: did you mean `words`?");
    let leak = SPEC.replace("  redact @personal: email\n", "  require count() >= 1\n");
    let found = editor.change("all.annot", &leak);
    assert_eq!(codes(&found), ["E0401"], "{found}");
    let related = found[0]["relatedInformation"].as_array().expect("a leak shows its path");
    assert!(related.iter().any(|place| place["message"] == "`text` is declared `@personal` here"), "{found}");
    assert_eq!(editor.change("all.annot", SPEC), json!([]));
    editor.close();
}

#[test]
fn hovers_tell_types_and_show_no_personal_sample() {
    let mut editor = Editor::start(project());
    editor.open("all.annot", SPEC);
    let mut hover = |needle: &str| {
        let answer = editor.ask_at("textDocument/hover", "all.annot", SPEC, needle);
        answer["contents"]["value"].as_str().unwrap_or_default().to_owned()
    };
    let text = hover("text |> collapse");
    assert!(text.contains("text: string @personal") && text.contains("may hold personal data here"), "{text}");
    assert!(!text.contains("lost"), "{text}");
    let printed = hover("text }}\"");
    assert!(printed.contains("text: string\n") && printed.contains("has been redacted"), "{printed}");
    let team = hover("team: string");
    assert!(team.contains("Who was it about?") && team.contains("`north`, `south`"), "{team}");
    let undeclared = hover("mail: string");
    assert!(undeclared.contains("mail: string") && !undeclared.contains("example"), "{undeclared}");
    let function = hover("words(text)");
    assert!(function.contains("words(text: string) -> int") && function.contains("word boundaries"), "{function}");
    let value = hover("card; else");
    assert!(value.contains("card \"Cards\"") && value.contains("A card was lost."), "{value}");
    assert!(hover("email\n").contains("[EMAIL]"));
    assert!(hover("messages from").contains("\"role\""));
    assert!(hover("chat {").contains("assistant"));
    assert!(hover("drop \"short\"").contains("drop \"too short\""));
    assert_eq!(hover("seed 7"), "", "a joining word has no page");
    editor.close();
}

#[test]
fn names_lead_to_their_places() {
    let mut editor = Editor::start(project());
    editor.open("all.annot", SPEC);
    let found = editor.ask_at("textDocument/definition", "all.annot", SPEC, "tidy\n  label");
    assert_eq!(found[0]["range"]["start"], at(SPEC, "tidy {"));
    let found = editor.ask_at("textDocument/references", "all.annot", SPEC, "text |> collapse");
    let places: Vec<&Value> = found.as_array().expect("places").iter().map(|it| &it["range"]["start"]).collect();
    for needle in ["text: string", "text = text", "text |>", "text) <", "text }}"] {
        assert!(places.contains(&&at(SPEC, needle)), "{needle}: {places:?}");
    }
    let found = editor.ask_at("textDocument/documentHighlight", "all.annot", SPEC, "house {");
    assert_eq!(found.as_array().map(Vec::len), Some(2), "{found}");
    editor.close();
}

#[test]
fn a_field_of_a_source_is_renamed_and_read_as_before() {
    let mut editor = Editor::start(project());
    editor.open("all.annot", SPEC);
    let params = editor.place("all.annot", SPEC, "text |> collapse");
    let prepared = editor.ask("textDocument/prepareRename", params.clone());
    assert_eq!(prepared["placeholder"], "text");
    let edit = editor.rename("all.annot", SPEC, "text |> collapse", "body").expect("it can be renamed");
    let new = edited(SPEC, &edit["changes"][editor.uri("all.annot").as_str()]);
    assert!(new.contains("body: string @personal @column(\"text\")\n"), "{new}");
    assert!(new.contains("set  body = body |>") && new.contains("{{ body }}") && !new.contains("{{ text }}"), "{new}");
    assert_eq!(editor.change("all.annot", &new), json!([]));
    editor.change("all.annot", SPEC);
    let refused = editor.rename("all.annot", SPEC, "text |> collapse", "two words").expect_err("Jinja cannot read it");
    assert!(refused["message"].as_str().is_some_and(|it| it.contains("template")), "{refused}");
    let taken = editor.rename("all.annot", SPEC, "text |> collapse", "team").expect_err("the name is taken");
    assert!(taken["message"].as_str().is_some_and(|it| it.contains("`team`")), "{taken}");
    let quoted = editor.rename("all.annot", SPEC, "loan\n", "no loan?").expect("backticks help");
    assert!(edited(SPEC, &quoted["changes"][editor.uri("all.annot").as_str()]).contains("  `no loan?`\n"));
    assert!(editor.rename("all.annot", SPEC, "words(text)", "w").is_err(), "a function of the language has its name");
    editor.close();
}

#[test]
fn samples_are_of_what_is_harmless() {
    let spec = "annot 1\nsource a {\n  path \"data/*.csv\"\n  fields {\n    code: string\n    note: string @column(\"the note\")\n    \
                group_of: string @sensitive(gender)\n    shared: string\n    phone: string\n  }\n}\n\
                source b {\n  path \"b.jsonl\"\n  fields { shared: string @personal }\n}\n";
    let csv = "code,the note,group_of,shared,phone\r\n\
               A1,\"two\r\nlines\",f,x,call 020 7946 0958\r\nA1,\"a, b\",m,y,none\r\nA2,,f,z,none\r\n";
    let project =
        Project::new(&[("all.annot", spec.as_bytes()), ("data/1.csv", csv.as_bytes()), ("data/2.csv", b"code\n")]);
    let mut editor = Editor::start(project);
    editor.open("all.annot", spec);
    for (needle, shown) in [
        ("code: string", Some("`A1`, `A2`")),
        ("note: string", Some("`a, b`")),
        ("group_of", None),
        ("shared: string\n", None),
        ("phone: string", None),
    ] {
        let hover = editor.ask_at("textDocument/hover", "all.annot", spec, needle);
        let text = hover["contents"]["value"].as_str().unwrap_or_default();
        let found = text.split_once("for example: ").map(|(_, values)| values);
        assert_eq!(found, shown, "{needle}: {text}");
    }
    editor.close();
}

#[test]
fn parts_parameters_and_aliases_are_renamed() {
    let house = "annot 1\npolicy house {\n  redact @personal: email\n}\n";
    let spec = SPEC
        .replace("policy house {\n  redact @personal: email\n}\n", "use \"house.annot\": house as strict\n")
        .replace("policy house", "policy strict")
        .replace("text |> collapse_whitespace", "plain(text)")
        + "fn plain(s: string) = s |> nfc\nmodel m { new encoder { layers 1; hidden 8; heads 1; vocab 99 } }\n\
           train run { model m; data all; task classify topic from text; epochs 1 }\n\
           evaluate run on all.test { report accuracy }\n";
    let project = Project::new(&[("all.annot", spec.as_bytes()), ("house.annot", house.as_bytes())]);
    let mut editor = Editor::start(project);
    assert_eq!(editor.open("all.annot", &spec), json!([]));
    let uri = editor.uri("all.annot");
    for (needle, new, expected) in [
        ("strict\n  split", "kept", "use \"house.annot\": house as kept\n"),
        ("test 10%", "held", "evaluate run on all.held {"),
        ("s |> nfc", "given", "fn plain(given: string) = given |> nfc"),
        ("plain(text)", "clear", "fn clear(s: string)"),
        ("card \"Cards\"", "payment card", "\"c\" => `payment card`;"),
    ] {
        let edit = editor.rename("all.annot", &spec, needle, new).unwrap_or_else(|error| panic!("{needle}: {error}"));
        assert_eq!(edit["changes"].as_object().map(serde_json::Map::len), Some(1), "{needle}: {edit}");
        let new = edited(&spec, &edit["changes"][uri.as_str()]);
        assert!(new.contains(expected), "{needle}: {new}");
        assert_eq!(editor.change("all.annot", &new), json!([]), "{needle}: {new}");
        editor.change("all.annot", &spec);
    }
    editor.close();
}

#[test]
fn a_suggestion_is_a_quick_fix() {
    let mut editor = Editor::start(project());
    let wrong = SPEC.replace("words(text)", "wrods(text)");
    editor.open("all.annot", &wrong);
    let start = at(&wrong, "wrods");
    let params = json!({
        "textDocument": { "uri": editor.uri("all.annot") },
        "range": { "start": start, "end": start },
        "context": { "diagnostics": [] },
    });
    let actions = editor.ask("textDocument/codeAction", params);
    assert_eq!(actions[0]["title"], "Replace `wrods` with `words`");
    assert_eq!(edited(&wrong, &actions[0]["edit"]["changes"][editor.uri("all.annot").as_str()]), SPEC);
    editor.close();
}

#[test]
fn a_text_is_formatted_with_its_own_line_ends() {
    let mut editor = Editor::start(project());
    let untidy = SPEC.replace("  drop \"short\"", "drop    \"short\"").replace('\n', "\r\n");
    editor.open("all.annot", &untidy);
    let params = json!({ "textDocument": { "uri": editor.uri("all.annot") }, "options": { "tabSize": 2, "insertSpaces": true } });
    let edits = editor.ask("textDocument/formatting", params.clone());
    let formatted = edited(&untidy, &edits);
    assert_eq!(formatted.matches('\n').count(), formatted.matches("\r\n").count(), "{edits}");
    assert!(formatted.contains("\r\n  drop \"short\" when"), "{formatted}");
    editor.change("all.annot", &formatted);
    assert_eq!(editor.ask("textDocument/formatting", params.clone()), json!([]));
    editor.change("all.annot", "annot 1\nclean tidy {");
    assert_eq!(editor.ask("textDocument/formatting", params), Value::Null);
    editor.close();
}

#[test]
fn an_unsaved_change_of_a_used_file_counts() {
    let house = "annot 1\n\n/// Kept by all.\npolicy house {\n  redact @personal: email\n}\n";
    let spec = SPEC.replace("policy house {\n  redact @personal: email\n}\n", "use \"house.annot\": house\n");
    let project =
        Project::new(&[("all.annot", spec.as_bytes()), ("house.annot", house.as_bytes()), ("notes.jsonl", DATA)]);
    let mut editor = Editor::start(project);
    assert_eq!(editor.open("all.annot", &spec), json!([]));
    editor.open("house.annot", house);
    let leaking = house.replace("redact @personal: email", "forbid \"no\" when text is null");
    editor.send_change("house.annot", &leaking);
    assert_eq!(codes(&editor.findings("all.annot")), ["E0401"]);
    editor.change("house.annot", house);
    let found = editor.ask_at("textDocument/definition", "all.annot", &spec, "house\n  split");
    assert_eq!(found[0]["uri"], editor.uri("house.annot"));
    let edit = editor.rename("house.annot", house, "house {", "rules").expect("it can be renamed");
    let used = edited(&spec, &edit["changes"][editor.uri("all.annot").as_str()]);
    assert!(used.contains("use \"house.annot\": rules\n") && used.contains("policy rules\n"), "{used}");
    let declared = edited(house, &edit["changes"][editor.uri("house.annot").as_str()]);
    assert!(declared.contains("policy rules {"), "{declared}");
    editor.close();
}

#[test]
fn a_file_that_is_not_open_is_renamed_too() {
    let house = "annot 1\npolicy house {\n  redact @personal: email\n}\n";
    let spec = SPEC.replace("policy house {\n  redact @personal: email\n}\n", "use \"house.annot\": house\n");
    let mut editor =
        Editor::start(Project::new(&[("sub/all.annot", spec.as_bytes()), ("sub/house.annot", house.as_bytes())]));
    editor.open("sub/house.annot", house);
    let edit = editor.rename("sub/house.annot", house, "house {", "rules").expect("it can be renamed");
    let used = edited(&spec, &edit["changes"][editor.uri("sub/all.annot").as_str()]);
    assert!(used.contains("house.annot\": rules\n") && used.contains("policy rules\n"), "{used}");
    editor.close();
}

#[test]
fn a_broken_file_still_answers() {
    let mut editor = Editor::start(project());
    let broken =
        SPEC.replace("drop \"short\" when words(text) < 3", "drop \"short\" when words(").replace("seed 7", "seed");
    assert!(!codes(&editor.open("all.annot", &broken)).is_empty());
    let hover = editor.ask_at("textDocument/hover", "all.annot", &broken, "collapse_whitespace");
    assert!(hover["contents"]["value"].as_str().is_some_and(|it| it.contains("collapse_whitespace(")), "{hover}");
    let items = editor.ask_after("textDocument/completion", "all.annot", &broken, "when words(");
    let labels: Vec<&str> = items.as_array().expect("items").iter().filter_map(|it| it["label"].as_str()).collect();
    assert!(labels.contains(&"text") && labels.contains(&"team"), "{labels:?}");
    let outline =
        editor.ask("textDocument/documentSymbol", json!({ "textDocument": { "uri": editor.uri("all.annot") } }));
    let names: Vec<&str> = outline.as_array().expect("symbols").iter().filter_map(|it| it["name"].as_str()).collect();
    assert_eq!(names, ["notes", "topic", "tidy", "house", "ask", "all"]);
    editor.close();
}

#[test]
fn names_are_coloured_by_what_they_mean() {
    let mut editor = Editor::start(project());
    editor.open("all.annot", SPEC);
    let legend = editor.capabilities["semanticTokensProvider"]["legend"].clone();
    let params = json!({ "textDocument": { "uri": editor.uri("all.annot") } });
    let answer = editor.ask("textDocument/semanticTokens/full", params);
    let tokens = client::tokens(SPEC, &legend, &answer);
    for (word, what, modifiers) in [
        ("annot", "keyword", vec![]),
        ("/// What customers wrote.", "comment", vec!["documentation"]),
        ("notes", "class", vec!["declaration"]),
        ("text", "property", vec!["declaration", "personal"]),
        ("card", "enumMember", vec!["declaration"]),
        ("words", "function", vec!["defaultLibrary"]),
        ("3", "number", vec![]),
        ("|>", "operator", vec![]),
    ] {
        let found = tokens.iter().find(|token| token.0 == word).unwrap_or_else(|| panic!("{word}: {tokens:?}"));
        assert_eq!(
            (found.1.as_str(), found.2.clone()),
            (what, modifiers.iter().map(|it| (*it).to_owned()).collect()),
            "{word}"
        );
    }
    assert!(tokens.iter().any(|token| token.0 == "\"{{ " && token.1 == "string"), "{tokens:?}");
    editor.close();
}

#[test]
fn the_text_can_be_folded_and_selected() {
    let mut editor = Editor::start(project());
    editor.open("all.annot", SPEC);
    let document = json!({ "uri": editor.uri("all.annot") });
    let folds = editor.ask("textDocument/foldingRange", json!({ "textDocument": document }));
    let line = at(SPEC, "clean tidy")["line"].as_u64().expect("a line");
    let fold = folds.as_array().expect("folds").iter().find(|it| it["startLine"] == line).expect("a block folds");
    assert_eq!(fold["endLine"], line + 2);
    let params = json!({ "textDocument": document, "positions": [at(SPEC, "collapse")] });
    let mut selection = &editor.ask("textDocument/selectionRange", params)[0];
    let mut widths = Vec::new();
    while selection.is_object() {
        widths.push(client::slice(SPEC, &selection["range"]).to_owned());
        selection = &selection["parent"];
    }
    assert_eq!(widths[0], "collapse_whitespace");
    assert_eq!(widths[1], "set  text = text |> collapse_whitespace");
    assert_eq!(widths.last().map(String::as_str), Some(SPEC));
    editor.close();
}
