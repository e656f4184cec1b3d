//! `language`: which language a text is written in.

use whatlang::{Lang, Script};

use super::{Constants, Eval, Example, Function, Parts, TEXT};

pub(super) const FUNCTION: Function = Function {
    name: "language",
    summary: "names the language by its ISO 639-1 code, null where it is not sure",
    docs: "\
The language of the text as its two-letter ISO 639-1 code (`en`, `de`, `zh`), among 70 languages, by script, alphabet and
trigrams. The answer is null where the detector is not sure, so `drop \"not English\" when (language(text) ?? \"en\") != \"en\"` drops
what is surely another language and keeps what is too short to tell.

In a script that one language writes (Greek, Korean, Thai …) a few letters are enough; in the Latin script a sentence often
is not. The confidence that counts as sure was measured on 13,083 short questions in English: taken at its word the
detector calls more than 3,000 of them another language, above this confidence 1. It costs recall: of 32 questions of 3
to 10 words in other languages of the Latin script it then names 7.",
    parameters: &[TEXT],
    result: Eval::TextOrNull(eval).result(),
    examples: &[
        Example::of("I have lost my phone and would like to know what to do about it.", "en"),
        Example::of("Ich habe meine PIN vergessen.", "de"),
        Example::of("\u{79c1}\u{306e}\u{30ab}\u{30fc}\u{30c9}\u{306f}\u{3069}\u{3053}\u{3067}\u{3059}\u{304b}", "ja"),
        Example::of("I am still waiting on my card?", "null"),
        Example::of("card?", "null"),
        Example::of("12:30 ?!", "null"),
        Example::of("", "null"),
    ],
    version: 1,
    eval: Eval::TextOrNull(eval),
};

/// The confidence above which an answer in the Latin script counts; how it was measured stands in the docs.
const SURE_LATIN: f64 = 0.8;

/// The same for the other scripts, which few languages share and English never uses.
const SURE_OTHER: f64 = 0.4;

fn eval(of: &Parts<'_>, _: &Constants) -> Option<String> {
    let info = of.language()?;
    let sure = if info.script() == Script::Latin { SURE_LATIN } else { SURE_OTHER };
    (info.confidence() > sure).then(|| code(info.lang()).to_owned())
}

/// Every code that the answer can be.
pub(super) fn codes() -> impl Iterator<Item = &'static str> {
    Lang::all().iter().copied().map(code)
}

fn code(language: Lang) -> &'static str {
    match language {
        Lang::Afr => "af",
        Lang::Aka => "ak",
        Lang::Amh => "am",
        Lang::Ara => "ar",
        Lang::Aze => "az",
        Lang::Bel => "be",
        Lang::Ben => "bn",
        Lang::Bul => "bg",
        Lang::Cat => "ca",
        Lang::Ces => "cs",
        Lang::Cmn => "zh",
        Lang::Cym => "cy",
        Lang::Dan => "da",
        Lang::Deu => "de",
        Lang::Ell => "el",
        Lang::Eng => "en",
        Lang::Epo => "eo",
        Lang::Est => "et",
        Lang::Fin => "fi",
        Lang::Fra => "fr",
        Lang::Guj => "gu",
        Lang::Heb => "he",
        Lang::Hin => "hi",
        Lang::Hrv => "hr",
        Lang::Hun => "hu",
        Lang::Hye => "hy",
        Lang::Ind => "id",
        Lang::Ita => "it",
        Lang::Jav => "jv",
        Lang::Jpn => "ja",
        Lang::Kan => "kn",
        Lang::Kat => "ka",
        Lang::Khm => "km",
        Lang::Kor => "ko",
        Lang::Lat => "la",
        Lang::Lav => "lv",
        Lang::Lit => "lt",
        Lang::Mal => "ml",
        Lang::Mar => "mr",
        Lang::Mkd => "mk",
        Lang::Mya => "my",
        Lang::Nep => "ne",
        Lang::Nld => "nl",
        Lang::Nob => "nb",
        Lang::Ori => "or",
        Lang::Pan => "pa",
        Lang::Pes => "fa",
        Lang::Pol => "pl",
        Lang::Por => "pt",
        Lang::Ron => "ro",
        Lang::Rus => "ru",
        Lang::Sin => "si",
        Lang::Slk => "sk",
        Lang::Slv => "sl",
        Lang::Sna => "sn",
        Lang::Spa => "es",
        Lang::Srp => "sr",
        Lang::Swe => "sv",
        Lang::Tam => "ta",
        Lang::Tel => "te",
        Lang::Tgl => "tl",
        Lang::Tha => "th",
        Lang::Tuk => "tk",
        Lang::Tur => "tr",
        Lang::Ukr => "uk",
        Lang::Urd => "ur",
        Lang::Uzb => "uz",
        Lang::Vie => "vi",
        Lang::Yid => "yi",
        Lang::Zul => "zu",
    }
}
