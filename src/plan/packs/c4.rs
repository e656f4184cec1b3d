//! `c4`: the filter of C4.

use super::{Pack, PackOption, PackRule};

pub(super) const PACK: Pack = Pack {
    name: "c4",
    summary: "the lines of a web page that are sentences, and pages with enough of them (C4)",
    docs: "\
The rules of Raffel et al., \u{201c}Exploring the Limits of Transfer Learning with a Unified Text-to-Text Transformer\u{201d} (2020), 2.2, with the
thresholds and the reasons of datatrove's `C4QualityFilter`. It takes out lines and so changes the field: only lines of at
least three words that end in a terminal mark stay. It works on lines, so let no `collapse_whitespace` join them before.

What differs from datatrove: a line ends at a line feed alone; sentences are those of Unicode's sentence boundaries, where datatrove takes
spaCy's; of a page that holds both \u{201c}lorem ipsum\u{201d} and a curly bracket the first is named whichever comes first; the list of
bad words is a filter of its own there and is left out here.",
    options: &[
        PackOption::whole("max_word_length", 1000, 1, 1_000_000, "the most characters of a word; lines with a longer one go"),
        PackOption::whole("min_words_per_line", 3, 1, 1_000_000, "the fewest words of a line"),
        PackOption::switch("remove_citations", "whether the marks of Wikipedia's footnotes are taken out"),
        PackOption::switch("filter_no_terminal_punct", "whether lines without a terminal mark go"),
        PackOption::switch("filter_lorem_ipsum", "whether pages with \u{201c}lorem ipsum\u{201d} go"),
        PackOption::switch("filter_javascript", "whether lines about JavaScript go"),
        PackOption::switch("filter_curly_bracket", "whether pages with a curly bracket go"),
        PackOption::switch("filter_policy", "whether lines about terms, privacy and cookies go"),
        PackOption::whole("min_num_sentences", 5, 1, 1_000_000, "the fewest sentences of what is left"),
    ],
    rules: &[
        PackRule { name: "line-trim", switch: None, statement: "set $text = trim_lines($text)" },
        PackRule {
            name: "line-filter-too_long_word",
            switch: None,
            statement: "set $text = drop_long_word_lines($text, $max_word_length)",
        },
        PackRule {
            name: "line-filter-too_few_words",
            switch: None,
            statement: "set $text = drop_short_lines($text, $min_words_per_line)",
        },
        PackRule::switched(
            "remove_citations",
            "remove-citations",
            r#"set $text = replace($text, /\[\d*\]|\[edit\]|\[citation needed\]/, "")"#,
        ),
        PackRule::switched(
            "filter_no_terminal_punct",
            "line-filter-no_terminal_punc",
            r#"set $text = $text |> keep_lines(/[.?!"']$/) |> drop_lines(/\.\.\.$/)"#,
        ),
        PackRule::switched("filter_lorem_ipsum", "lorem_ipsum", r#"drop "lorem_ipsum" when $text matches /lorem ipsum/i"#),
        PackRule::switched(
            "filter_javascript",
            "line-filter-javascript",
            "set $text = drop_lines($text, /javascript/i)",
        ),
        PackRule::switched("filter_curly_bracket", "curly_bracket", r#"drop "curly_bracket" when $text matches /\{/"#),
        PackRule::switched(
            "filter_policy",
            "line-filter-policy",
            "set $text = drop_lines($text, /terms of use|privacy policy|cookie policy|uses cookies|use of cookies|use cookies/i)",
        ),
        PackRule::drop("too_few_sentences", r#"drop "too_few_sentences" when sentences($text) < $min_num_sentences"#),
    ],
};
