//! The canonical look, by examples.

use super::format::check_format;
use crate::syntax::format;
use crate::syntax::format::ODD;

/// Formats declarations after the first line and compares.
#[track_caller]
fn check(before: &str, after: &str) {
    let formatted = check_format(&format!("annot 1\n{before}"));
    let found = formatted.strip_prefix("annot 1\n").expect("the first line stays");
    assert!(found == after, "{before}\n--- becomes\n{found}\n--- instead of\n{after}");
}

/// Formats statements of a block and compares them with their indentation.
#[track_caller]
fn check_in(head: &str, before: &str, after: &str) {
    check(&format!("{head} {{\n{before}\n}}"), &format!("{head} {{\n{after}\n}}\n"));
}

#[test]
fn lines() {
    check("source  a{path \"x\";;license\"MIT\" ; }", "source a { path \"x\"; license \"MIT\" }\n");
    check(
        "source a {\npath \"x\";license \"MIT\"\n\n\n\nfields {text:string@personal;b:list< { a : int } > ? }\n\n}",
        "source a {\n  path    \"x\"\n  license \"MIT\"\n\n  fields { text: string @personal; b: list<{ a: int }>? }\n}\n",
    );
    check("source a {\n}\nclean b {\n\n}", "source a { }\nclean b { }\n");
    check("\n\n\n\nlet x = 1; let y = 2\n\n\n\n\nlet z = 3", "\n\nlet x = 1\nlet y = 2\n\n\nlet z = 3\n");
    check("let x=-1+ - 2*(a.b[0 ]??c)\t", "let x = -1 + -2 * (a.b[0] ?? c)\n");
    check("fn f( s:string ,t : int? )=s|>nfc|>cut( t , )", "fn f(s: string, t: int?) = s |> nfc |> cut(t)\n");
    check("let x = not a in[1,2]or b is  not null", "let x = not a in [1, 2] or b is not null\n");
    check("let x = 5 .y", "let x = 5 .y\n");
    check("use\"a.annot\":b,c  as  d", "use \"a.annot\": b, c as d\n");
    check(
        "label a: choices( 1 .. 3 ){x;`y-z`}\nlabel b: spans over t{P} overlap no\nlabel c: scale -1..5 {when a require b}",
        "label a: choices(1..3) { x; `y-z` }\nlabel b: spans over t { P } overlap no\nlabel c: scale -1..5 { when a require b }\n",
    );
    check(
        "evaluate a on b . test{by x at[ 1,2 ];require gap(f1 . macro,by g)<=5%}",
        "evaluate a on b.test { by x at [1, 2]; require gap(f1.macro, by g) <= 5% }\n",
    );
}

#[test]
fn columns() {
    check_in(
        "train t",
        "model m; data d\ntune lora {rank 8}\nlength 64 tokens\noptimizer adamw {betas [0.9,0.999]}\nwarm {\n}\n"
            .trim_end_matches("warm {\n}\n"),
        "  model  m\n  data   d\n  tune   lora { rank 8 }\n  length 64 tokens\n  optimizer adamw { betas [0.9, 0.999] }",
    );
    check_in(
        "source s",
        "path \"x\"\nfields {\n  a: int\n  long_name: string?\n\n  b: bool\n}\nlicense \"y\"\n\norigin \"z\"",
        "  path    \"x\"\n  fields {\n    a:         int\n    long_name: string?\n\n    b: bool\n  }\n  license \"y\"\n\n  origin \"z\"",
    );
    check_in(
        "clean c",
        "set a = 1\nset long = 2\ndrop \"x\" when a\ndedup a exactly\ndrop \"longer\" when b\ndrop \"y\" when c",
        "  set  a    = 1\n  set  long = 2\n  drop \"x\" when a\n  dedup a exactly\n  drop \"longer\" when b\n  drop \"y\"      when c",
    );
    check_in(
        "label l: choice",
        "a \"A\" key \"a\"\n\n/// Doc.\nlonger \"Title\"\nb key \"b\"\nc { d; e }\n名 \"名前\" key \"n\"",
        "  a      \"A\"    key \"a\"\n\n  /// Doc.\n  longer \"Title\"\n  b             key \"b\"\n  c { d; e }\n  名     \"名前\" key \"n\"",
    );
    check("let x = a match {\n1, 2=>b\nelse=>drop\n}", "let x = a match {\n  1, 2 => b\n  else => drop\n}\n");
}

#[test]
fn a_line_that_padding_would_make_too_long_is_not_padded() {
    let long = "x".repeat(91);
    check_in(
        "template t: chat",
        &format!("user \"{long}\"\nassistant \"a\"\nsystem \"b\""),
        &format!("  user \"{long}\"\n  assistant \"a\"\n  system    \"b\""),
    );
}

#[test]
fn long_statements() {
    let long = "words(text) < shortest or region in roles and not flagged or category matches /spam|scam/i";
    check_in(
        "clean c",
        &format!("drop \"odd\" when {long}\ndrop \"b\"\n  when c"),
        "  drop \"odd\"\n    when words(text) < shortest or region in roles and not flagged or category matches /spam|scam/i\n  \
         drop \"b\" when c",
    );
    check_in(
        "clean c",
        &format!("drop \"odd\" when {long} or stars * 2 + 1 > 9"),
        "  drop \"odd\"\n    when words(text) < shortest\n      or region in roles and not flagged\n      or category matches \
         /spam|scam/i\n      or stars * 2 + 1 > 9",
    );
    check_in(
        "clean c",
        "set text = text |> fix_encoding |> nfc |> strip_html |> collapse_whitespace |> lower |> first_sentence",
        "  set text = text\n    |> fix_encoding\n    |> nfc\n    |> strip_html\n    |> collapse_whitespace\n    |> lower\n    \
         |> first_sentence",
    );
    check_in(
        "dataset d",
        "split test from heldout, train 90%, validation 10% by customer check text near 0.85 stratify an_intent_with_a_name seed 7\n\
         from one_source, another_source, a_third_source, a_fourth_source, a_fifth_source, a_sixth_source_of_all",
        "  split test from heldout, train 90%, validation 10%\n    by customer\n    check text near 0.85\n    stratify an_intent_with_a_name\n    \
         seed 7\n  from one_source, another_source, a_third_source, a_fourth_source, a_fifth_source,\n    a_sixth_source_of_all",
    );
}

#[test]
fn brackets() {
    check("let x = [\n  1, 2,\n\n  3 ]", "let x = [\n  1, 2,\n\n  3,\n]\n");
    check("let x = [1,\n  2,\n]", "let x = [1, 2]\n");
    let names: Vec<String> = (10..40).map(|number| format!("\"{number}\"")).collect();
    check(
        &format!("let x = a in [{}]", names.join(",")),
        &format!("let x = a in [\n  {},\n  {},\n]\n", names[..16].join(", "), names[16..].join(", ")),
    );
    check_in(
        "test a \"b\"",
        "given { text: \"where is my card?\", answer: null, in_region: \"north\", category: \"card\", of: { a: 1 } }\nexpect drop",
        "  given {\n    text: \"where is my card?\",\n    answer: null,\n    in_region: \"north\",\n    category: \"card\",\n    \
         of: { a: 1 },\n  }\n  expect drop",
    );
    check("let x = f((\na), [ ], { })", "let x = f(\n  (\n    a\n  ),\n  [],\n  { },\n)\n");
}

#[test]
fn comments() {
    check(
        "let x = 1//a\n// b\n\n// c\nlet long = 2 // d\n             // e\nlet y = [ // f\n// g\n1 // h\n, 2\n// i\n]// j\n// k",
        "let x = 1  //a\n// b\n\n// c\nlet long = 2  // d\n              // e\nlet y = [     // f\n  // g\n  1,  // h\n  2,\n  \
         // i\n]  // j\n// k\n",
    );
    check(
        "/// A.\n\n\n/// B.\n// c\n\nsource s { // d\n\n// e\npath \"x\" // f\n\n\n// g\n\n} // h",
        "/// A.\n/// B.\n// c\nsource s {  // d\n  // e\n  path \"x\"  // f\n\n  // g\n}  // h\n",
    );
    check_in(
        "clean c",
        "drop \"a\" // why\n\n// and\nwhen b // c\nor d\nset x = y\n// z\n.w match { // m\n1 => a; // n\nelse => b }",
        "  drop \"a\"  // why\n    // and\n    when b  // c\n      or d\n  set x = y\n    // z\n    .w match {  // m\n    \
         1    => a   // n\n    else => b\n  }",
    );
}

/// What stands before and after a comma keeps its order.
#[test]
fn comments_around_commas() {
    check(
        "let x = [1 // a\n// b\n, // c\n2, 3 // d\n,]",
        "let x = [\n  1,     // a\n  // b\n  // c\n  2, 3,  // d\n]\n",
    );
    check_in(
        "dataset d",
        "from a, // b\nc,\n// d\n\ne // f\n\npolicy p",
        "  from a,  // b\n    c,\n    // d\n    e  // f\n\n  policy p",
    );
}

#[test]
fn long_strings() {
    check_in(
        "template t: chat",
        "user \"\"\"\n      a\n\n        b  \n   \"\"\"\nassistant \"b\"",
        "  user \"\"\"\n    a\n\n      b  \n    \"\"\"\n  assistant \"b\"",
    );
    check("let x = \"\"\"a\n b\"\"\" |> f", "let x = \"\"\"a\n  b\"\"\"\n  |> f\n");
    check("let x = \"\"\"\n \u{a0}\n\"\"\"", "let x = \"\"\"\n \u{a0}\n\"\"\"\n");
    let crlf = format("\u{feff}annot 1\r\nlet x = \"\"\"\r\n  a\r\n\"\"\" // b\r\n");
    assert_eq!(crlf.as_deref(), Ok("annot 1\nlet x = \"\"\"\n  a\n  \"\"\"  // b\n"));
    // Without this carriage return the value would be another one.
    let odd = "annot 1\nlet x = \"\"\"\n  a\r\r\n  b\n  \"\"\"\n";
    assert_eq!(format(odd).as_deref(), Ok(odd));
}

#[test]
fn what_cannot_be_read_is_not_formatted() {
    for text in
        ["", "let x = 1", "annot 1\nlet x =", "annot 1\nsource s { pth \"x\" }", "annot 1\n\0", "annot 1\n// \u{202e}"]
    {
        let errors = format(text).expect_err(text);
        assert!(!errors.is_empty(), "{text}");
    }
}

/// The page about formatting shows pairs of before and after.
#[test]
fn the_page_is_true() {
    let page = include_str!("../../../docs/language/formatting.md");
    let blocks = page.split("```annot\n").skip(1).map(|rest| rest.split_once("```").expect("a block is closed").0);
    let blocks: Vec<&str> = blocks.collect();
    let (pairs, rest) = blocks.as_chunks::<2>();
    assert!(pairs.len() >= 5 && rest.is_empty(), "{} blocks", blocks.len());
    for [before, after] in pairs {
        check(before, after);
    }
    for word in ODD {
        assert!(page.contains(&format!("`{word}`")), "the page names `{word}`");
    }
}
