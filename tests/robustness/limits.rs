//! Large, deep and hostile texts.

use std::time::{Duration, Instant};

use annotc::diagnostics::{Diagnostic, Look, render, render_json};
use annotc::semantic::{NoFiles, check_supported, load, resolve};
use annotc::source::{SourceFile, SourceMap};

use super::shapes::grown;
use super::survive::survive;

/// Checks a text and shows what was found, as the command line does.
fn check(text: &str) -> (SourceMap, Vec<Diagnostic>) {
    let mut sources = SourceMap::default();
    let file = sources.add(SourceFile::new("spec.annot", text));
    let (parsed, mut found) = load(&mut sources, file, &mut NoFiles);
    found.extend(resolve(&sources, &parsed, &mut NoFiles).1);
    found.extend(check_supported(&parsed, None));
    render(&found, &sources, Look { color: false, unicode: true, width: 100 });
    render_json(&found, &sources);
    (sources, found)
}

/// The time that this thread has been on a processor, where the system tells it: a busy machine does not count.
fn clock() -> Option<Duration> {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    stat.split_whitespace().next()?.parse().ok().map(Duration::from_nanos)
}

fn time(text: &str) -> Duration {
    let (begin, cpu) = (Instant::now(), clock());
    check(text);
    match (cpu, clock()) {
        (Some(before), Some(after)) => after.saturating_sub(before),
        _ => begin.elapsed(),
    }
}

#[test]
fn four_times_the_declarations_take_about_four_times_as_long() {
    // A clock that counts in jiffies shows nothing of less than one.
    let jiffies = Duration::from_millis(40);
    for ((name, small), (_, large)) in grown(12 << 10).zip(grown(48 << 10)) {
        let (short, long) = (time(&small), time(&large));
        println!("{name}: {short:?}, {long:?}");
        assert!(long < short * 8 + jiffies, "{name}: {short:?} and {long:?}");
    }
}

#[test]
fn a_megabyte_is_checked_in_seconds() {
    let names = [
        "constants",
        "mistakes on one line",
        "unknown names on one line",
        "a tree",
        "fields",
        "values",
        "arms",
        "reasons",
        "detectors",
        "uses",
        "licences",
    ];
    let chosen: Vec<(&str, String)> = grown(1 << 20).filter(|(name, _)| names.contains(name)).collect();
    assert_eq!(chosen.len(), names.len());
    for (name, text) in chosen {
        let took = time(&text);
        println!("{name}: {} bytes in {took:?}", text.len());
        assert!(took < Duration::from_secs(20), "{name}: {took:?}");
    }
}

#[test]
fn what_is_nested_ten_thousand_deep_is_refused() {
    let pairs = [
        ("(", ")"),
        ("[", "]"),
        ("{ a: ", " }"),
        ("f(", ")"),
        ("-", ""),
        ("not ", ""),
        ("x |> f(", ")"),
        ("1 + (", ")"),
    ];
    for (open, close) in pairs {
        for end in ["", close] {
            survive(format!("annot 1\nlet x = {}1{}\n", open.repeat(10_000), end.repeat(10_000)).as_bytes());
        }
    }
    for (head, open) in [
        ("label x: choice ", "{ a "),
        ("source x { fields { a: ", "list<"),
        ("source x { fields { a: ", "{ a: "),
        ("let x = ", "y match { 1 => "),
        ("let x = y", ".a"),
        ("let x = y", "[0]"),
        ("clean c { drop \"a\" when text matches /", "(a"),
        ("template t: chat { user \"{{ ", "("),
        ("template t: chat { user \"", "{% if a %}"),
        ("source x { license \"", "("),
        ("label x: json { a: ", "{ a: "),
    ] {
        survive(format!("annot 1\n{head}{}", open.repeat(10_000)).as_bytes());
    }
    let quoted = format!(
        "annot 1\ntemplate t: chat {{ user \"{{{{ {}a{} }}}}\"; assistant \"b\" }}",
        "(".repeat(10_000),
        ")".repeat(10_000)
    );
    survive(quoted.as_bytes());
    let licence = format!(
        "annot 1\nsource s {{ path \"a.csv\"; license \"{}MIT{}\"; fields {{ a: int }} }}",
        "(".repeat(10_000),
        ")".repeat(10_000)
    );
    survive(licence.as_bytes());
    let regex = format!("annot 1\nlet x = /{}a{}/", "(".repeat(10_000), ")".repeat(10_000));
    survive(regex.as_bytes());
}

#[test]
fn long_lines_and_empty_texts_get_an_answer() {
    let long = "a".repeat(1 << 18);
    for text in [
        format!("annot 1; let {long} = 1"),
        format!("annot 1; let x = {long}"),
        format!("annot 1; let x = \"{long}\" // {long}"),
        format!("annot 1; source s {{ path \"{long}\"; license \"{long}\"; fields {{ a: {long} }} }}"),
        format!("annot 1; use \"{long}\": {long}"),
        format!("{long} 1"),
        format!("annot {}", "1".repeat(1 << 18)),
        format!("annot 1; let x = /{long}/"),
        "annot 1; let x = /[a-z]{9999}{9999}{9999}/".to_owned(),
    ] {
        survive(text.as_bytes());
    }
    for text in [
        "",
        " ",
        "\n",
        "\r",
        "\u{feff}",
        "\0",
        "//",
        "// a\n// b",
        "/// a",
        "annot",
        "annot 1",
        "annot 1\n// a",
        "\u{feff}annot 1\r\n",
    ] {
        survive(text.as_bytes());
    }
    survive(b"annot 1\n\xff\xfe\xc3");
}

/// What stands under the primary places of the findings that are about characters.
fn bad_characters(text: &str) -> Vec<String> {
    let (sources, found) = check(text);
    let about = found.iter().filter(|finding| finding.code.id() == "E0012");
    about.map(|finding| sources.text(finding.labels[0].span).to_owned()).collect()
}

/// A text that reads otherwise than it looks is reported wherever that is.
#[test]
fn hidden_characters_are_found_everywhere() {
    for hidden in ["\u{202e}", "\u{2066}", "\0"] {
        for text in [
            "annot 1\nlet a#b = 1\n",
            "annot 1\nlet `a#b` = 1\n",
            "annot 1\nlet x = \"a#b\"\n",
            "annot 1\nlet x = \"\"\"\na#b\n\"\"\"\n",
            "annot 1\nlet x = 1 // a#b\n",
            "annot 1\n/// a#b\nlet x = 1\n",
            "annot 1\nlet x = /a#b/\n",
            "annot 1\nlet x = #1\n",
            "annot 1\nlet x = \"a#\n",
        ] {
            let text = text.replace('#', hidden);
            survive(text.as_bytes());
            assert_eq!(bad_characters(&text), [hidden], "{text:?}");
        }
    }
}

/// Line ends and a byte order mark change no meaning and no place.
#[test]
fn line_ends_of_other_systems_are_read() {
    let text = "annot 1\n\nlet one = 1\nlet two = thre\n";
    let places = |text: &str| {
        let (sources, found) = check(text);
        let place =
            |finding: &Diagnostic| sources.file(finding.labels[0].span.file).line_column(finding.labels[0].span.start);
        found.iter().map(place).collect::<Vec<_>>()
    };
    assert_eq!(places(text), [(4, 11)]);
    for other in
        [text.replace('\n', "\r\n"), format!("\u{feff}{text}"), format!("\u{feff}{}", text.replace('\n', "\r\n"))]
    {
        assert_eq!(places(&other), places(text), "{other:?}");
        survive(other.as_bytes());
    }
}
