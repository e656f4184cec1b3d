//! `strip_boilerplate`: no lines that stand on every page.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::{Regex, RegexBuilder};

use super::line_wise::map_lines;
use super::{Constants, Eval, Example, Function, TEXT};

pub(super) const FUNCTION: Function = Function {
    name: "strip_boilerplate",
    summary: "takes out the lines of web pages that are about the page: cookies, copyright, menus, buttons",
    docs: "\
Takes out lines of at most 300 bytes that are no part of what a page says, by these signs, whatever the case:

* **cookies**: a line about cookies that also says use, accept, allow, consent, policy, settings, preferences or agree;
* **copyright**: a line that begins with \u{a9}, `(c)` or `copyright` and names a year, or that says `all rights reserved`;
* **scripts**: a line that asks to enable JavaScript;
* **legal links**: a line of nothing but terms, privacy, imprint, sitemap, contact and the like;
* **menus**: three parts or more between `|`, `\u{b7}`, `\u{2022}`, `\u{bb}`, `\u{203a}` or `>`, each of one to three words, without a full stop;
* **buttons**: a line that says nothing but `read more`, `skip to content`, `share this`, `log in`, `sign up`, `subscribe`, `back to top`,
  `advertisement`, `leave a comment`, `follow us on` and a name, and the like.

The words are English. It works on lines, so do it before `collapse_whitespace`; of HTML take `strip_html` or `main_text` first. A line
that is long or a sentence about something else stays. The lines are parted by a line feed afterwards.",
    parameters: &[TEXT],
    result: Eval::Text(eval).result(),
    examples: &[
        Example::of(
            "Home | News | About us\nThe card arrived on Monday.\nRead more \u{bb}\n\u{a9} 2024 Example Ltd. All rights reserved.",
            "The card arrived on Monday.",
        ),
        Example::of("We use cookies to improve your visit.\nI like cookies with milk.", "I like cookies with milk."),
        Example::of("Please enable JavaScript to go on.\nPrivacy Policy \u{b7} Terms of Use", ""),
        Example::of("a > b > c is a chain, he wrote.", "a > b > c is a chain, he wrote."),
        Example::of("", ""),
    ],
    version: 1,
    eval: Eval::Text(eval),
};

/// Longer lines are text.
const LONGEST: usize = 300;

/// The signs of a line, each alone enough.
const SIGNS: [&str; 6] = [
    r"\bcookies?\b.*\b(?:use[sd]?|using|accept|allow|consent|policy|settings|preferences|agree)\b|\b(?:use[sd]?|using|accept|allow|consent|agree)\b.*\bcookies?\b",
    r"^(?:\u{a9}|\(c\)|copyright\b).*\b(?:19|20)\d\d\b|\ball rights reserved\b",
    r"\b(?:enable|turn on|activate|requires?) javascript\b|\bjavascript (?:is|has been|must be) (?:disabled|enabled)\b",
    r"^(?:(?:privacy|terms|cookies?|imprint|legal|disclaimer|sitemap|site map|contact|accessibility|conditions|policy|notice|statement|and|of|use|service|us|&|[|\u{b7}\u{2022}/,-])\s*)+$",
    r"^(?:[\w&'\u{2019}-]+(?: [\w&'\u{2019}-]+){0,2}\s*[|\u{b7}\u{2022}\u{bb}\u{203a}>]\s*){2,}[\w&'\u{2019}-]+(?: [\w&'\u{2019}-]+){0,2}\s*[|\u{b7}\u{2022}\u{bb}\u{203a}>]?$",
    r"^\W*(?:read more|continue reading|learn more|show more|load more|see all|view all|click here|skip to (?:main )?(?:content|navigation)|back to (?:the )?top|share(?: this)?(?: (?:on|via) \w+)?|tweet|print(?: this)?(?: page)?|e-?mail this|log ?in|sign ?(?:in|up|out)|register(?: now)?|subscribe(?: now| to our newsletter)?|newsletter|advertisements?|sponsored(?: content)?|leave a (?:comment|reply)|post a comment|no comments(?: yet)?|related (?:posts|articles)|(?:follow|like|find) us on \w+(?:(?:,| and| or) \w+)*|menu|search|home|next|previous|loading)\W*$",
];

static SIGN: LazyLock<Regex> = LazyLock::new(|| {
    let signs: Vec<String> = SIGNS.iter().map(|sign| format!("(?:{sign})")).collect();
    RegexBuilder::new(&signs.join("|")).case_insensitive(true).build().expect("the pattern is a regex")
});

fn eval<'t>(text: &'t str, _: &Constants) -> Cow<'t, str> {
    let sign = &*SIGN;
    map_lines(text, |line| {
        let said = line.trim();
        let goes = !said.is_empty() && said.len() <= LONGEST && sign.is_match(said);
        (!goes).then_some(line)
    })
}
