//! What the words near a number say about it.

/// Whether a word before byte `at` speaks of a payment card.
pub(super) fn speaks_of_card(text: &str, at: usize) -> bool {
    words_before(text, at).any(|word| CARD.binary_search(&word.as_str()).is_ok())
}

/// Whether the nearest telling word before byte `start`, or one right after byte `end`, speaks of a telephone.
pub(super) fn speaks_of_phone(text: &str, start: usize, end: usize) -> bool {
    let telling = words_before(text, start).find_map(|word| phone_or_other(&word));
    telling.unwrap_or_else(|| word_after(text, end).is_some_and(|word| phone_or_other(&word) == Some(true)))
}

/// `Some(true)` for a word about telephones, `Some(false)` for one about another kind of number.
fn phone_or_other(word: &str) -> Option<bool> {
    if PHONE.binary_search(&word).is_ok() {
        Some(true)
    } else {
        OTHER_NUMBER.binary_search(&word).is_ok().then_some(false)
    }
}

/// Whether the words before byte `start`, or a pre-release tag after byte `end`, say that a number with points is a version
/// or a section and no address.
pub(super) fn speaks_of_version(text: &str, start: usize, end: usize) -> bool {
    let mut nearest = words_before(text, start).take(3);
    let before = nearest.find_map(|word| {
        if VERSION.binary_search(&word.as_str()).is_ok() {
            Some(true)
        } else {
            NETWORK.binary_search(&word.as_str()).is_ok().then_some(false)
        }
    });
    let tagged = || text[end..].strip_prefix('-').and_then(|_| word_after(text, end + 1));
    before.unwrap_or_else(|| tagged().is_some_and(|word| PRE_RELEASE.binary_search(&word.as_str()).is_ok()))
}

/// How far a telling word may stand from the number, in bytes.
const REACH: usize = 48;

/// The words of the same line before byte `at`, in small letters, the nearest first. A replacement such as `[PHONE]` is
/// no word: it says nothing about the number after it.
fn words_before(text: &str, at: usize) -> impl Iterator<Item = String> {
    let from = (at.saturating_sub(REACH)..=at).find(|&i| text.is_char_boundary(i)).unwrap_or(at);
    let line = text[from..at].rsplit('\n').next().unwrap_or_default();
    let tokens = line.rsplit(|character: char| !(character.is_alphabetic() || matches!(character, '_' | '[')));
    let is_replacement = |token: &str| token.starts_with('[') && !token.contains(char::is_lowercase);
    let words = tokens.filter(move |token| !is_replacement(token)).flat_map(|token| token.rsplit(['_', '[']));
    words.filter(|word| !word.is_empty()).map(str::to_lowercase)
}

/// The word directly after byte `end`, in small letters.
fn word_after(text: &str, end: usize) -> Option<String> {
    let rest = text[end..].trim_start_matches([' ', '(', ',']);
    let length = rest.find(|character: char| !character.is_alphabetic()).unwrap_or(rest.len());
    (length > 0 && length <= REACH).then(|| rest[..length].to_lowercase())
}

const CARD: [&str; 14] = [
    "airplus",
    "amex",
    "card",
    "cards",
    "carte",
    "cc",
    "credit",
    "debit",
    "karte",
    "kreditkarte",
    "mastercard",
    "tarjeta",
    "uatp",
    "visa",
];

const PHONE: [&str; 40] = [
    "call",
    "called",
    "calling",
    "cel",
    "cell",
    "cellphone",
    "celular",
    "cep",
    "desk",
    "dial",
    "dialled",
    "fax",
    "gsm",
    "handy",
    "hotline",
    "landline",
    "mob",
    "mobil",
    "mobile",
    "mobiltelefon",
    "móvil",
    "office",
    "phone",
    "phoned",
    "ring",
    "rufnummer",
    "sms",
    "tel",
    "telef",
    "telefon",
    "telefone",
    "telefono",
    "telephone",
    "teléfono",
    "tlf",
    "tél",
    "téléphone",
    "viber",
    "voicemail",
    "whatsapp",
];

const OTHER_NUMBER: [&str; 56] = [
    "account",
    "acct",
    "amount",
    "atm",
    "balance",
    "barcode",
    "bic",
    "booking",
    "card",
    "case",
    "code",
    "cost",
    "customer",
    "date",
    "dated",
    "doi",
    "eur",
    "from",
    "iban",
    "id",
    "invoice",
    "isbn",
    "issn",
    "item",
    "licence",
    "license",
    "model",
    "order",
    "paid",
    "part",
    "passport",
    "pay",
    "pin",
    "policy",
    "postcode",
    "price",
    "rate",
    "receipt",
    "ref",
    "reference",
    "serial",
    "since",
    "sku",
    "ssn",
    "sum",
    "swift",
    "ticket",
    "total",
    "tracking",
    "transaction",
    "transfer",
    "usd",
    "vat",
    "version",
    "year",
    "zip",
];

const VERSION: [&str; 18] = [
    "appendix",
    "article",
    "build",
    "chapter",
    "clause",
    "driver",
    "firmware",
    "oid",
    "paragraph",
    "patch",
    "release",
    "rev",
    "revision",
    "section",
    "upgrade",
    "v",
    "ver",
    "version",
];

const NETWORK: [&str; 14] = [
    "addr",
    "address",
    "addresses",
    "client",
    "dns",
    "gateway",
    "host",
    "ip",
    "ipv",
    "network",
    "ping",
    "server",
    "ssh",
    "subnet",
];

const PRE_RELEASE: [&str; 9] = ["alpha", "beta", "build", "dev", "final", "pre", "preview", "rc", "snapshot"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_are_sorted_for_the_binary_search() {
        for list in [CARD.as_slice(), &PHONE, &OTHER_NUMBER, &VERSION, &NETWORK, &PRE_RELEASE] {
            assert!(list.is_sorted(), "{list:?}");
        }
    }

    #[test]
    fn the_nearest_telling_word_decides() {
        for (text, expected) in [
            ("call me on ", true),
            ("Telefon: ", true),
            ("call us about order ", false),
            ("order by phone ", true),
            ("the sum is ", false),
            ("phone\n", false),
            ("{\"phone_number\": ", true),
            ("[PHONE] or ", false),
            ("[call ", true),
            ("", false),
        ] {
            assert_eq!(speaks_of_phone(text, text.len(), text.len()), expected, "{text:?}");
        }
        assert!(speaks_of_phone("12 office", 0, 2));
    }
}
