//! `gopher_repetition`: the repetition filter of Gopher.

use super::{Pack, PackOption, PackRule};

pub(super) const PACK: Pack = Pack {
    name: "gopher_repetition",
    summary: "texts that repeat lines, paragraphs or runs of words (Gopher, MassiveText)",
    docs: "\
The repetition rules of Rae et al., \u{201c}Scaling Language Models: Methods, Analysis & Insights from Training Gopher\u{201d} (2021), table A1,
with the thresholds and the reasons of datatrove's `GopherRepetitionFilter`. A text of few words is a large part of its own most frequent
run: put a rule against short texts before it.

What differs from datatrove: words and marks follow the rules of spaCy's English tokenizer with the commonest of its abbreviations,
without its units and emoticons (`prose_words`); two runs of words
are the same when their words are, where datatrove joins the words of longer runs first; the empty text stays and fails no
division.",
    options: &[
        PackOption::number("dup_para_frac", 0.3, 1.0, "the greatest share of repeated paragraphs"),
        PackOption::number("dup_para_char_frac", 0.2, 1.0, "the same by their characters"),
        PackOption::number("dup_line_frac", 0.3, 1.0, "the greatest share of repeated lines"),
        PackOption::number("dup_line_char_frac", 0.2, 1.0, "the same by their characters"),
        PackOption::number("top_2_gram", 0.2, 1000.0, "the greatest share of the characters in the most frequent 2 words"),
        PackOption::number("top_3_gram", 0.18, 1000.0, "the same of 3 words"),
        PackOption::number("top_4_gram", 0.16, 1000.0, "the same of 4 words"),
        PackOption::number("dup_5_gram", 0.15, 1.0, "the greatest share of the characters in repeated runs of 5 words"),
        PackOption::number("dup_6_gram", 0.14, 1.0, "the same of 6 words"),
        PackOption::number("dup_7_gram", 0.13, 1.0, "the same of 7 words"),
        PackOption::number("dup_8_gram", 0.12, 1.0, "the same of 8 words"),
        PackOption::number("dup_9_gram", 0.11, 1.0, "the same of 9 words"),
        PackOption::number("dup_10_gram", 0.1, 1.0, "the same of 10 words"),
    ],
    rules: &[
        PackRule::drop("dup_para_frac", r#"drop "dup_para_frac" when repeated_paragraphs($text) > $dup_para_frac"#),
        PackRule::drop(
            "dup_para_char_frac",
            r#"drop "dup_para_char_frac" when repeated_paragraphs($text, chars) > $dup_para_char_frac"#,
        ),
        PackRule::drop("dup_line_frac", r#"drop "dup_line_frac" when repeated_lines($text) > $dup_line_frac"#),
        PackRule::drop(
            "dup_line_char_frac",
            r#"drop "dup_line_char_frac" when repeated_lines($text, chars) > $dup_line_char_frac"#,
        ),
        PackRule::drop("top_2_gram", r#"drop "top_2_gram" when top_ngram($text, 2) > $top_2_gram"#),
        PackRule::drop("top_3_gram", r#"drop "top_3_gram" when top_ngram($text, 3) > $top_3_gram"#),
        PackRule::drop("top_4_gram", r#"drop "top_4_gram" when top_ngram($text, 4) > $top_4_gram"#),
        PackRule::drop(
            "duplicated_5_n_grams",
            r#"drop "duplicated_5_n_grams" when repeated_ngrams($text, 5) > $dup_5_gram"#,
        ),
        PackRule::drop(
            "duplicated_6_n_grams",
            r#"drop "duplicated_6_n_grams" when repeated_ngrams($text, 6) > $dup_6_gram"#,
        ),
        PackRule::drop(
            "duplicated_7_n_grams",
            r#"drop "duplicated_7_n_grams" when repeated_ngrams($text, 7) > $dup_7_gram"#,
        ),
        PackRule::drop(
            "duplicated_8_n_grams",
            r#"drop "duplicated_8_n_grams" when repeated_ngrams($text, 8) > $dup_8_gram"#,
        ),
        PackRule::drop(
            "duplicated_9_n_grams",
            r#"drop "duplicated_9_n_grams" when repeated_ngrams($text, 9) > $dup_9_gram"#,
        ),
        PackRule::drop(
            "duplicated_10_n_grams",
            r#"drop "duplicated_10_n_grams" when repeated_ngrams($text, 10) > $dup_10_gram"#,
        ),
    ],
};
