//! `fineweb`: the filter of FineWeb.

use super::{Pack, PackOption, PackRule};

pub(super) const PACK: Pack = Pack {
    name: "fineweb",
    summary: "pages of prose by how their lines end, how long they are and how they repeat (FineWeb)",
    docs: "\
The rules that Penedo et al., \u{201c}The FineWeb Datasets: Decanting the Web for the Finest Text Data at Scale\u{201d} (2024), 3.6, add to those of
Gopher and C4, with the thresholds and the reasons of datatrove's `FineWebQualityFilter`. They read lines, so let no
`collapse_whitespace` join them before. FineWeb has `gopher_repetition`, `c4` without its rule of terminal marks, and
`gopher_quality` before it.

What differs from datatrove: what ends a line is Unicode's property `Sentence_Terminal`, where datatrove has a list of its own that is nearly the
same; a carriage return before a line feed belongs to the line break; words and marks follow the rules of spaCy's
English tokenizer with the commonest of its abbreviations, without its units and emoticons (`prose_words`).",
    options: &[
        PackOption::number("line_punct_thr", 0.12, 1.0, "the least share of lines that end a sentence"),
        PackOption::number("short_line_thr", 0.67, 1.0, "the greatest share of short lines"),
        PackOption::whole("short_line_length", 30, 1, 1_000_000, "the most characters of a short line"),
        PackOption::number("char_duplicates_ratio", 0.01, 1.0, "the greatest share of the characters in repeated lines"),
        PackOption::number("new_line_ratio", 0.3, 1000.0, "the most line breaks for each word"),
    ],
    rules: &[
        PackRule::drop("empty", r#"drop "empty" when not ($text matches /\S/)"#),
        PackRule::drop("line_punct_ratio", r#"drop "line_punct_ratio" when punctuated_lines($text) < $line_punct_thr"#),
        PackRule::drop(
            "short_line_ratio",
            r#"drop "short_line_ratio" when short_lines($text, $short_line_length) > $short_line_thr"#,
        ),
        PackRule::drop(
            "char_dup_ratio",
            r#"drop "char_dup_ratio" when repeated_lines($text, line_chars) > $char_duplicates_ratio"#,
        ),
        PackRule::drop("list_ratio", r#"drop "list_ratio" when newline_ratio($text) > $new_line_ratio"#),
    ],
};
