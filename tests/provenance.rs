//! Provenance for people: statistics, reports and lives say what a build did, and nothing that is personal.

use serde_json::Value;

use crate::support::Project;

const SPEC: &str = "quickstart.annot";

/// Texts of the quickstart's sources that are dropped, quarantined or redacted: no report may have them.
fn personal(project: &Project) -> Vec<String> {
    let rows = project.read("data/contact_form.jsonl");
    let rows = rows.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let addresses = rows.filter_map(|row| {
        let text = row["text"].as_str()?;
        text.split_whitespace().find(|word| word.contains('@')).map(str::to_owned)
    });
    addresses.collect()
}

#[test]
fn a_build_is_told_in_figures_and_on_a_page() {
    let project = Project::of_spec("quickstart");
    let run = project.annotc(&["stats", SPEC, "helpdesk"]).expect(1);
    assert!(run.stderr.contains("is not built") && run.stderr.contains("annotc build quickstart.annot helpdesk"));
    project.annotc(&["build", SPEC, "helpdesk"]).expect(0);
    let manifest = project.json("build/helpdesk/manifest.json");
    let told = &project.annotc(&["stats", SPEC, "helpdesk", "--format", "json"]).expect(0).answers()[0];
    assert_eq!(
        (&told["steps"], &told["splits"], &told["current"]),
        (&manifest["steps"], &manifest["splits"], &true.into())
    );
    for (part, split) in manifest["splits"].as_object().expect("parts") {
        let text = &told["fields"][part]["columns"]["text"];
        assert_eq!((&text["words"]["count"], &text["nulls"]), (&split["records"], &0.into()));
        let bins = text["words"]["bins"].as_array().expect("bins").iter();
        assert_eq!(bins.map(|bin| bin[2].as_u64().expect("a count")).sum::<u64>(), split["records"]);
        assert!(text.get("values").is_none(), "the values of a personal field are not told");
    }
    let taken = |key: &str| {
        manifest["steps"].as_array().expect("steps").iter().map(|step| step[key].as_u64().unwrap_or(0)).sum::<u64>()
    };
    let errors =
        told["errors"].as_array().expect("errors").iter().map(|error| error["records"].as_u64().expect("a count"));
    assert_eq!(errors.sum::<u64>(), taken("quarantined"));
    let dropped =
        told["taken"].as_array().expect("rules").iter().map(|rule| rule["dropped"].as_u64().expect("a count"));
    assert_eq!(dropped.sum::<u64>(), taken("dropped"));
    let found = &told["duplicates"][0];
    let sizes = &found["sizes"];
    assert_eq!(
        sizes["sum"].as_u64(),
        Some(found["clusters"].as_u64().unwrap_or(0) + found["repeats"].as_u64().unwrap_or(0))
    );

    for width in ["80", "200"] {
        let mut command = project.command(&["stats", SPEC, "helpdesk"]);
        let shown = command.env("COLUMNS", width).output().expect("annotc starts").stdout;
        let shown = String::from_utf8(shown).expect("text");
        let width = width.parse::<usize>().expect("a number");
        assert!(shown.lines().all(|line| line.chars().count() <= width), "{shown}");
        assert!(shown.contains("too short") && shown.contains("Label intent") && !shown.contains('\u{1b}'), "{shown}");
    }

    project.annotc(&["stats", SPEC, "helpdesk", "--html", "page.html"]).expect(0);
    let page = project.read("page.html");
    assert!(page == project.read("build/helpdesk/report.html"), "without runs it is the report");
    for file in ["page.html", "build/helpdesk/statistics.json", "build/helpdesk/README.md"] {
        let text = project.read(file);
        let leaked = personal(&project).into_iter().find(|address| text.contains(address.as_str()));
        assert_eq!(leaked, None, "{file}");
    }
    assert!(!personal(&project).is_empty());
    let run = project.annotc(&["stats", SPEC, "--html", "page.html", "helpdsk"]).expect(2);
    assert!(run.stderr.contains("did you mean `helpdesk`"), "{}", run.stderr);
}

/// What a rule looked at is shown where it never was personal, and only there.
#[test]
fn examples_show_what_was_never_personal() {
    let spec = "annot 1\nsource s {\n  path \"s.jsonl\"\n  license \"MIT\"\n  fields { name: string @personal; note: string; stars: int }\n}\n\
                clean c {\n  drop \"too few\" when stars < 2\n  drop \"shouts\" when note == \"LOUD\"\n  drop \"nameless\" when name == \"\"\n  \
                set note = name\n  drop \"copied\" when note == \"Ann Onymous\"\n}\n\
                policy p { redact @personal: email }\n\
                dataset d {\n  from s\n  clean c\n  policy p\n  split train 50%, test 50%\n  write jsonl\n}\n";
    let row = |name: &str, note: &str, stars: i64| {
        format!("{{\"name\": \"{name}\", \"note\": \"{note}\", \"stars\": {stars}}}\n")
    };
    let rows = [
        row("A", "x", 1),
        row("B", "LOUD", 3),
        row("", "y", 3),
        row("Ann Onymous", "z", 4),
        row("C", "w", 5),
        row("D", "v", 5),
    ];
    let project = Project::new(&[("d.annot", spec.as_bytes()), ("s.jsonl", rows.concat().as_bytes())]);
    project.annotc(&["build", "d.annot"]).expect(0);
    let statistics = project.json("build/d/statistics.json");
    let rules: Vec<(&str, &Value, &Value)> = statistics["taken"]
        .as_array()
        .expect("rules")
        .iter()
        .map(|rule| (rule["rule"].as_str().expect("a name"), &rule["samples"][0]["text"], &rule["withheld"]))
        .collect();
    assert_eq!((rules[0].0, &rules[0].1["stars"]), ("too few", &"1".into()));
    assert_eq!((rules[1].0, &rules[1].1["note"]), ("shouts", &"LOUD".into()));
    assert_eq!((rules[2].0, rules[2].1, &rules[2].2[0]), ("nameless", &Value::Null, &"name".into()));
    assert_eq!((rules[3].0, rules[3].1, &rules[3].2[0]), ("copied", &Value::Null, &"note".into()));
    for file in ["statistics.json", "report.html"] {
        assert!(!project.read(&format!("build/d/{file}")).contains("Onymous"), "{file}");
    }
    // The trace follows the same rule.
    let life = project.annotc(&["trace", "s.jsonl:4"]).expect(0).stdout;
    assert!(life.contains("copied") && life.contains("--show-personal") && !life.contains("Onymous"), "{life}");
    let shown = project.annotc(&["trace", "s.jsonl:4", "--show-personal"]).expect(0).stdout;
    assert!(shown.contains("[-z-]{+Ann Onymous+}"), "{shown}");
}

#[test]
fn a_life_is_told_step_by_step() {
    let project = Project::of_spec("quickstart");
    let run = project.annotc(&["trace", "data/counter.csv:2"]).expect(1);
    assert!(run.stderr.contains("no data set was built"), "{}", run.stderr);
    project.annotc(&["build", SPEC, "helpdesk"]).expect(0);
    let life = |args: &[&str]| {
        let args: Vec<&str> = ["trace"].iter().chain(args).chain(&["--format", "json"]).copied().collect();
        project.annotc(&args).expect(0).answers().remove(0)
    };
    // A record that was redacted: where it stands, and what was found in it.
    let changed =
        project.annotc(&["preview", SPEC, "--changed", "redact", "-n", "1", "--format", "json"]).expect(0).answers();
    let id = changed[0]["id"].as_str().expect("an id");
    let told = life(&[id]);
    let (rule, field) = (&told["changes"][0]["rule"], &told["changes"][0]["fields"][0]);
    assert!(rule.as_str().is_some_and(|rule| rule.starts_with("redact")), "{told}");
    assert_eq!(
        (&field["found"], &field["before"], &field["after"]),
        (&changed[0]["changes"][0]["found"], &Value::Null, &Value::Null)
    );
    let place = told["outputs"]["messages/train.jsonl"].as_u64().or(told["outputs"]["messages/test.jsonl"].as_u64());
    let part = told["split"].as_str().expect("a part");
    let row = &project.lines(&format!("build/helpdesk/messages/{part}.jsonl"))[place.expect("a line") as usize - 1];
    let shown = life(&[id, "--show-personal"]);
    assert_eq!(shown["changes"][0]["fields"][0]["after"], row["messages"][1]["content"]);
    assert_eq!(shown["labels"]["intent"], row["messages"][2]["content"]);
    // The same record by its place, from here and as the spec reaches it.
    let at = format!("{}:{}", told["file"].as_str().expect("a file"), told["line"]);
    assert_eq!(life(&[&at])["id"], id);
    assert_eq!(life(&[&format!("./{at}"), "--spec", SPEC])["id"], id);
    // A duplicate names what it repeats, and that one names it.
    let audit = project
        .annotc(&["preview", SPEC, "--dropped", "dedup text exactly", "-n", "1", "--format", "json"])
        .expect(0)
        .answers();
    let repeats = life(&[audit[0]["id"].as_str().expect("an id")]);
    assert_eq!(repeats["duplicate_of"]["id"], audit[0]["duplicate_of"]);
    assert!(repeats["duplicate_of"]["line"].as_u64() > Some(0));
    let original = life(&[repeats["duplicate_of"]["id"].as_str().expect("an id")]);
    assert_eq!((&original["repeated_by"][0]["id"], &original["repeats"]), (&repeats["id"], &1.into()));
    // What is mistyped is answered with what was meant.
    let mut wrong = id.to_owned();
    wrong.replace_range(20..21, if wrong.as_bytes()[20] == b'0' { "1" } else { "0" });
    let run = project.annotc(&["trace", &wrong]).expect(1);
    assert!(run.stderr.contains(&format!("did you mean `{id}`")), "{}", run.stderr);
    let run = project.annotc(&["trace", "data/nowhere.csv:3"]).expect(1);
    assert!(run.stderr.contains("`data/counter.csv`"), "{}", run.stderr);
    project.annotc(&["trace", "xyz"]).expect(2);
    // A source that has changed since is not read as if it had not.
    let text = project.read("data/counter.csv");
    project.write("data/counter.csv", format!("{text}\n").as_bytes());
    let run = project.annotc(&["trace", "data/counter.csv:2"]).expect(0);
    assert!(run.stdout.contains("has changed since"), "{}", run.stdout);
}
