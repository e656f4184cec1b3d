//! A misspelt word in each kind of declaration: the message points at it and proposes the right one.

use serde_json::Value;

use crate::support::Project;

/// A specification that is right, with one of each declaration.
const SPEC: &str = r#"annot 1
source notes {
  path    "notes.jsonl"
  license "CC0-1.0"
  fields  { text: string @personal; topic: string }
}
label topic: choice { card; loan }
clean tidy {
  set  text = text |> collapse_whitespace
  drop "short" when words(text) < 3
  dedup text exactly
}
policy house {
  redact  @personal: email, phone
  require count() >= 1 per topic
}
template ask: chat {
  user      "{{ text }}"
  assistant "{{ topic }}"
}
dataset all {
  from   notes
  clean  tidy
  label  topic = topic
  policy house
  split  train 90%, test 10% stratify topic seed 7
  write  messages from ask
}
model tiny { new encoder { layers 1; hidden 32; heads 2; vocab 500 } }
train router {
  model tiny
  data  all
  task  classify topic from text
  tune  all
  length 16 tokens else keep start
  epochs 1
  batch 8
  rate 1e-3 linear warmup 10%
  optimizer adamw { weight_decay 0.01 }
}
evaluate router on all.test {
  report accuracy, f1
  require f1.macro >= 0.1
}
test tidy "drops a fragment" {
  given  { text: "card?" }
  expect drop "short"
}
"#;

/// What is written, what is written instead, the word that the message points at.
const MISSPELT: &[(&str, &str, &str)] = &[
    ("source notes", "sorce notes", "sorce"),
    ("path    \"notes", "pth    \"notes", "pth"),
    ("license \"CC0-1.0\"", "licence \"CC0-1.0\"", "licence"),
    ("text: string @personal", "text: strnig @personal", "strnig"),
    ("@personal; topic", "@persnal; topic", "@persnal"),
    ("label topic: choice {", "label topic: choise {", "choise"),
    ("label topic: choice {", "lable topic: choice {", "lable"),
    ("clean tidy {", "claen tidy {", "claen"),
    ("set  text = text |>", "sett  text = text |>", "sett"),
    ("set  text = text |>", "set  txet = text |>", "txet"),
    ("set  text = text |>", "set  text = txt |>", "txt"),
    ("collapse_whitespace", "colapse_whitespace", "colapse_whitespace"),
    ("when words(text)", "wen words(text)", "wen"),
    ("words(text)", "wrods(text)", "wrods"),
    ("words(text)", "words(tezt)", "tezt"),
    ("dedup text exactly", "dedup text exactely", "exactely"),
    ("dedup text exactly", "dedup txet exactly", "txet"),
    ("policy house {", "polcy house {", "polcy"),
    ("redact  @personal", "redct  @personal", "redct"),
    ("email, phone", "emial, phone", "emial"),
    ("count() >=", "cuont() >=", "cuont"),
    ("per topic", "per topc", "topc"),
    ("template ask: chat", "template ask: chatt", "chatt"),
    ("template ask: chat", "tempalte ask: chat", "tempalte"),
    ("user      \"", "usre      \"", "usre"),
    ("{{ text }}", "{{ txet }}", "txet"),
    ("dataset all", "datset all", "datset"),
    ("from   notes", "from   ntoes", "ntoes"),
    ("from   notes", "form   notes", "form"),
    ("clean  tidy", "clean  tidi", "tidi"),
    ("label  topic = topic", "label  tpic = topic", "tpic"),
    ("policy house\n", "policy hose\n", "hose"),
    ("stratify topic", "stratfy topic", "stratfy"),
    ("stratify topic", "stratify topci", "topci"),
    ("write  messages", "write  mesages", "mesages"),
    ("messages from ask", "messages from aks", "aks"),
    ("model tiny {", "modle tiny {", "modle"),
    ("new encoder", "new encodr", "encodr"),
    ("hidden 32", "hiden 32", "hiden"),
    ("train router", "trian router", "trian"),
    ("model tiny\n", "model tinny\n", "tinny"),
    ("data  all", "data  al", "al"),
    ("task  classify", "task  clasify", "clasify"),
    ("classify topic", "classify topik", "topik"),
    ("tune  all", "tune  alll", "alll"),
    ("16 tokens", "16 tokns", "tokns"),
    ("epochs 1", "epoch 1", "epoch"),
    ("linear warmup", "liner warmup", "liner"),
    ("adamw {", "adamv {", "adamv"),
    ("weight_decay", "weight_decy", "weight_decy"),
    ("evaluate router", "evaluat router", "evaluat"),
    ("evaluate router", "evaluate rooter", "rooter"),
    ("all.test", "all.tset", "tset"),
    ("report accuracy", "report acuracy", "acuracy"),
    ("f1.macro >=", "f1.marco >=", "marco"),
    ("test tidy \"", "tets tidy \"", "tets"),
    ("test tidy \"", "test tiddy \"", "tiddy"),
    ("given  {", "givn  {", "givn"),
    ("expect drop \"short\"", "expect drop \"shrt\"", "\"shrt\""),
];

#[test]
fn the_specification_itself_is_right() {
    let project = Project::new(&[("all.annot", SPEC.as_bytes())]);
    let run = project.annotc(&["check", "all.annot"]).expect(0);
    assert!(!run.stderr.contains("warning"), "{}", run.stderr);
}

#[test]
fn a_misspelt_word_is_pointed_at_and_mended() {
    let mut failures = Vec::new();
    for (right, wrong, word) in MISSPELT {
        assert!(SPEC.contains(right), "`{right}` stands in the specification");
        let spec = SPEC.replacen(right, wrong, 1);
        let project = Project::new(&[("all.annot", spec.as_bytes())]);
        let run = project.annotc(&["check", "all.annot", "--format", "json"]);
        let findings = run.answers();
        let errors: Vec<_> = findings.iter().filter(|finding| finding["severity"] == "error").collect();
        let pointed = errors.iter().find(|finding| {
            let label = &finding["labels"][0];
            let line = label["line"].as_u64().unwrap_or(0) as usize;
            let column = label["column"].as_u64().unwrap_or(0) as usize;
            let length = label["length"].as_u64().unwrap_or(0) as usize;
            let text: String =
                spec.lines().nth(line.wrapping_sub(1)).unwrap_or("").chars().skip(column - 1).take(length).collect();
            text.trim_start_matches('@') == word.trim_start_matches('@')
        });
        let intended: String = changed(right, wrong);
        match pointed {
            None => failures.push(format!("`{wrong}`: no message points at `{word}`: {}", run.stdout.trim())),
            Some(finding) => {
                let help = finding["help"].as_str().unwrap_or("");
                if !help.contains(&intended) {
                    failures.push(format!("`{wrong}`: `{help}` does not propose `{intended}`"));
                }
                if edited(&spec, &finding["suggestion"]) != SPEC {
                    failures.push(format!("`{wrong}`: {} does not mend it", finding["suggestion"]));
                }
            }
        }
        if run.status != 1 {
            failures.push(format!("`{wrong}`: exit status {}", run.status));
        }
        if errors.len() > 1 {
            failures.push(format!(
                "`{wrong}`: {} errors where one mistake was made: {}",
                errors.len(),
                run.stdout.trim()
            ));
        }
    }
    assert!(failures.is_empty(), "{} of {}:\n{}", failures.len(), MISSPELT.len(), failures.join("\n"));
}

#[test]
fn the_readme_example_is_right() {
    let readme = std::fs::read_to_string(crate::support::repository().join("README.md")).expect("the README is there");
    let (_, after) = readme.split_once("```annot\n").expect("the README has an example");
    let (example, _) = after.split_once("```").expect("the example ends");
    let project = Project::new(&[("all.annot", example.as_bytes())]);
    let run = project.annotc(&["check", "all.annot"]).expect(0);
    assert!(!run.stderr.contains("warning"), "{}", run.stderr);
}

/// What an author sees: several kinds of mistake in one file, drawn as in a terminal.
#[test]
fn messages_read_well() {
    let mut spec = SPEC.to_string();
    for (right, wrong) in [
        ("text: string @personal; topic", "text: strnig @personal; topic"),
        ("drop \"short\" when words(text) < 3", "drop \"short\" when words(txt) < \"three\""),
        ("label  topic = topic", "label  topic = topic match { card => crad; else => drop }"),
        ("split  train 90%, test 10%", "split  train 90%, test 20%"),
        ("user      \"{{ text }}\"", "user      \"{{ text }\""),
        ("rate 1e-3 linear", "rate 1e-3 liner"),
        ("report accuracy, f1", "report acuracy, f1"),
    ] {
        assert!(spec.contains(right), "`{right}`");
        spec = spec.replacen(right, wrong, 1);
    }
    let project = Project::new(&[("all.annot", spec.as_bytes())]);
    let run = project.annotc(&["check", "all.annot"]).expect(1);
    insta::assert_snapshot!(run.stderr);

    let leak = SPEC.replacen("  redact  @personal: email, phone\n", "", 1);
    let project = Project::new(&[("leak.annot", leak.as_bytes())]);
    let run = project.annotc(&["check", "leak.annot"]).expect(1);
    insta::assert_snapshot!(run.stderr);
}

/// A specification with what is suggested for it.
fn edited(spec: &str, suggestion: &Value) -> String {
    let number = |name: &str| suggestion[name].as_u64().unwrap_or(0) as usize;
    let mut lines: Vec<String> = spec.lines().map(str::to_owned).collect();
    if let Some(line) = number("line").checked_sub(1).and_then(|line| lines.get_mut(line)) {
        let chars: Vec<char> = line.chars().collect();
        let start = number("column") - 1;
        let before: String = chars[..start].iter().collect();
        let after: String = chars[start + number("length")..].iter().collect();
        *line = format!("{before}{}{after}", suggestion["replacement"].as_str().unwrap_or(""));
    }
    lines.join("\n") + "\n"
}

/// The word of `right` that stands at the place of the first difference to `wrong`.
fn changed(right: &str, wrong: &str) -> String {
    let at = right.chars().zip(wrong.chars()).take_while(|(a, b)| a == b).count();
    let is_word = |c: &char| c.is_alphanumeric() || *c == '_';
    let chars: Vec<char> = right.chars().collect();
    let at = at.min(chars.len() - 1);
    let at = if is_word(&chars[at]) { at } else { at.saturating_sub(1) };
    let start = (0..=at).rev().take_while(|&i| is_word(&chars[i])).last().unwrap_or(at);
    chars[start..].iter().take_while(|c| is_word(c)).collect()
}
