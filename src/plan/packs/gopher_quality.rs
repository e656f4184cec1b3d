//! `gopher_quality`: the quality filter of Gopher.

use super::{Pack, PackOption, PackRule};

pub(super) const PACK: Pack = Pack {
    name: "gopher_quality",
    summary: "running text by its length, its words, its symbols and its lines (Gopher, MassiveText)",
    docs: "\
The quality rules of Rae et al., \u{201c}Scaling Language Models: Methods, Analysis & Insights from Training Gopher\u{201d} (2021), A1.1, with
the thresholds and the reasons of datatrove's `GopherQualityFilter`. They are made for English web pages; short records,
such as questions or chat, lose nearly everything to `min_doc_words`, so set it.

What differs from datatrove: words follow the rules of spaCy's English tokenizer with the commonest of its abbreviations, without its
units and emoticons (`prose_words`); punctuation is Unicode's, where datatrove has a list; a line ends at a line feed alone; a text without words or lines is dropped for being short and fails no division.",
    options: &[
        PackOption::whole("min_doc_words", 50, 1, 1_000_000_000, "the fewest words of a text"),
        PackOption::whole("max_doc_words", 100_000, 1, 1_000_000_000, "the most words of a text"),
        PackOption::number("min_avg_word_length", 3.0, 1000.0, "the least mean length of a word"),
        PackOption::number("max_avg_word_length", 10.0, 1000.0, "the greatest mean length of a word"),
        PackOption::number("max_symbol_word_ratio", 0.1, 1000.0, "the most hash signs, and the most ellipses, for each word"),
        PackOption::number("max_bullet_lines_ratio", 0.9, 1.0, "the greatest share of lines that begin with a bullet"),
        PackOption::number("max_ellipsis_lines_ratio", 0.3, 1.0, "the greatest share of lines that end in an ellipsis"),
        PackOption::number("max_non_alpha_words_ratio", 0.8, 1.0, "the least share of words that hold a letter, in spite of its name"),
        PackOption::whole("min_stop_words", 2, 1, 8, "the fewest of eight common English words"),
    ],
    rules: &[
        PackRule::drop("gopher_short_doc", r#"drop "gopher_short_doc" when prose_words($text) < $min_doc_words"#),
        PackRule::drop("gopher_long_doc", r#"drop "gopher_long_doc" when prose_words($text) > $max_doc_words"#),
        PackRule::drop(
            "gopher_below_avg_threshold",
            r#"drop "gopher_below_avg_threshold" when mean_word_length($text) < $min_avg_word_length"#,
        ),
        PackRule::drop(
            "gopher_above_avg_threshold",
            r#"drop "gopher_above_avg_threshold" when mean_word_length($text) > $max_avg_word_length"#,
        ),
        PackRule::drop(
            "gopher_too_many_hashes",
            r#"drop "gopher_too_many_hashes" when symbol_ratio($text, hash) > $max_symbol_word_ratio"#,
        ),
        PackRule::drop(
            "gopher_too_many_ellipsis",
            r#"drop "gopher_too_many_ellipsis" when symbol_ratio($text, ellipsis) > $max_symbol_word_ratio"#,
        ),
        PackRule::drop(
            "gopher_too_many_bullets",
            r#"drop "gopher_too_many_bullets" when bullet_lines($text) > $max_bullet_lines_ratio"#,
        ),
        PackRule::drop(
            "gopher_too_many_end_ellipsis",
            r#"drop "gopher_too_many_end_ellipsis" when ellipsis_lines($text) > $max_ellipsis_lines_ratio"#,
        ),
        PackRule::drop(
            "gopher_below_alpha_threshold",
            r#"drop "gopher_below_alpha_threshold" when alpha_words($text) < $max_non_alpha_words_ratio"#,
        ),
        PackRule::drop(
            "gopher_enough_stop_words",
            r#"drop "gopher_enough_stop_words" when stopwords($text) < $min_stop_words"#,
        ),
    ],
};
