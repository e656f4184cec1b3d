//! Mistakes in packs, in formats and in where files lie.

use super::mistakes::{Case, END, check_cases};

#[test]
fn packs() {
    const RULE: &str = "  dedup text exactly\n";
    check_cases(&[
        (RULE, "  pack gopher_qualty\n", "E0101", "gopher_qualty", "`gopher_quality`"),
        (RULE, "  pack c4 of texts\n", "E0201", "texts", "`text`"),
        (RULE, "  pack c4 of stars\n", "E0206", "stars", "`string`"),
        (RULE, "  pack c4 { min_doc_words 3 }\n", "E0109", "min_doc_words", "`min_num_sentences`"),
        (
            RULE,
            "  pack fineweb { short_line_length 30; short_line_length 40 }\n",
            "E0104",
            "short_line_length 40",
            "one of them",
        ),
        (RULE, "  pack gopher_quality { max_bullet_lines_ratio 90 }\n", "E0215", "90", "at most 1"),
        (RULE, "  pack gopher_quality { max_bullet_lines_ratio 90% }\n", "E0216", "90%", "`0.9`"),
        (RULE, "  pack gopher_quality { min_doc_words 2.5 }\n", "E0215", "2.5", "round"),
        (RULE, "  pack gopher_quality { min_doc_words few }\n", "E0110", "few", "`off`"),
        (RULE, "  pack c4 { filter_javascript 3 }\n", "E0206", "filter_javascript 3", "`on` or `off`"),
        (
            "  allow license in [\"CC-BY-4.0\", \"MIT\"]\n",
            "  pack gopher_quality\n",
            "E0010",
            "pack gopher_quality",
            "`clean` block",
        ),
    ]);
}

#[test]
fn formats_and_where_files_lie() {
    let path = "path \"data/questions.csv\"";
    let said = |format: &str| format!("path \"data/questions.csv\"; {format}");
    let source = |path: &str, rest: &str| {
        format!("source z {{ path \"{path}\"; {rest} }}\ndataset e {{ from z; split train 100% }}")
    };
    let cases: [(&str, String, &str, &str, &str); 17] = [
        (path, said("format csv { delimter \";\" }"), "E0109", "delimter", "delimiter"),
        (path, said("format csv { at \"data\" }"), "E0109", "at", "options"),
        (path, said("format csv { delimiter \";;\" }"), "E0206", "delimiter \";;\"", "one ASCII character"),
        (path, said("format csv { delimiter \"\\\"\" }"), "E0206", "delimiter \"\\\"\"", "quote off"),
        (path, said("format csv { header maybe }"), "E0110", "maybe", "`on`"),
        (path, said("format csv { encoding \"windows-1225\" }"), "E0110", "\"windows-1225\"", "windows-125"),
        (path, said("row at most 8 MB"), "E0216", "MB", "MiB"),
        (path, said("row at most 8"), "E0216", "8", "row at most 8 MiB"),
        (path, said("row at most 2 GiB"), "E0215", "2 GiB", "at most 1"),
        (
            END,
            source("a.txt", "format text { by sentence }; fields { text: string }"),
            "E0110",
            "sentence",
            "paragraph",
        ),
        (END, source("a.txt", "fields { txt: string }"), "E0201", "txt: string", "text"),
        (END, source("a.txt", "fields { text: string; line: string }"), "E0206", "line: string", "line: int"),
        (END, source("a.conll", "fields { tokens: string }"), "E0206", "tokens: string", "list<string>"),
        (
            END,
            source("a.csv", "format csv { header off }; fields { x: string @column(\"y\") }"),
            "E0221",
            "x: string @column(\"y\")",
            "@column(\"3\")",
        ),
        (END, source("a.csv", "fields { x: list<string> }"), "E0206", "x: list<string>", "as `string`"),
        (END, source("a.parquet.gz", "fields { x: string }"), "E0217", "path \"a.parquet.gz\"", "unpack"),
        (
            END,
            source("hf://models/o/n/a.csv", "fields { x: string }"),
            "E0217",
            "\"hf://models/o/n/a.csv\"",
            "hf://datasets/OWNER",
        ),
    ];
    let cases: Vec<Case<'_>> =
        cases.iter().map(|(from, to, code, place, help)| (*from, to.as_str(), *code, *place, *help)).collect();
    check_cases(&cases);
}
