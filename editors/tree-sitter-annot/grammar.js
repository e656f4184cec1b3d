/**
 * @file The grammar of the `.annot` language for editors; `grammar/annot.pest` decides what the language is.
 * @license MIT OR Apache-2.0
 *
 * How newlines work. A newline is a token that ends a statement, unless the scanner (`src/scanner.c`) makes it white
 * space: inside brackets, and before a line that begins with an operator. Before a line that begins with a clause
 * word it is a token of that word, valid only where the statement can still take the clause.
 *
 * How a mistake stays in its declaration. The newline before a line that begins a declaration is a token of its own,
 * which stands only between declarations: where a bracket before it was never closed, the parser gives up what is open.
 *
 * How characters work. The scanner reads what a regular expression cannot: brackets, whose stack the newlines need, the
 * text of strings, numbers (no letter may follow one), and comments (`///` documents, `////` does not).
 *
 * How keywords work. Only the words of `reserved.global` can never be names; all others are known by their place.
 */

/// <reference types="tree-sitter-cli/dsl" />
// @ts-check

/** How tightly operators bind, the loosest first. */
const LEVEL = { or: 1, and: 2, not: 3, compare: 4, coalesce: 5, sum: 6, product: 7, negate: 8, postfix: 9 };

/** The words that can never be names. */
const HARD = ["and", "or", "not", "in", "is", "matches", "match", "when", "else", "true", "false", "null"];

/** The words that begin a clause of a statement; no unit and no schedule is called so. */
const CLAUSES = [
  "by", "near", "check", "at", "stratify", "seed", "per", "over", "warmup", "decay", "floor", "accumulate", "because", "from", "without",
  "keep", "like",
];

/** Items with a separator between them. */
const separated = (item, separator) => seq(item, repeat(seq(separator, item)));

/** The items of a list in brackets; a comma may follow the last. */
const listed1 = (item) => seq(separated(item, ","), optional(","));
const listed = (item) => optional(listed1(item));

/** Names of what the field says. */
const names = ($, what) => separated(field(what, $._name), $._comma);

/** A block of statements. */
const block = ($, statement) => seq("{", repeat(seq(optional(statement), $._end)), optional(statement), "}");

/** A word that begins a clause, perhaps in the next line. */
const clause = ($, word) => seq(optional($[`_line_${word}`]), word);

/** A declaration that `///` lines may document. */
const documented = ($, ...parts) => seq(optional($._declaration_docs), ...parts);

export default grammar({
  name: "annot",

  word: ($) => $.identifier,

  // The order is that of `TokenType` in the scanner.
  externals: ($) => [
    $._newline,
    $._continuation,
    $._line_declaration,
    $._line_when,
    $._line_by,
    $._line_near,
    $._line_check,
    $._line_at,
    $._line_stratify,
    $._line_seed,
    $._line_per,
    $._line_over,
    $._line_warmup,
    $._line_decay,
    $._line_floor,
    $._line_accumulate,
    $._line_because,
    $._line_keep,
    $._line_like,
    $._line_against,
    $._line_else,
    $.text_content,
    $._long_text_content,
    "(",
    ")",
    "[",
    "]",
    "{",
    $._record_open,
    "}",
    $.number,
    $.percent,
    $.comment,
    $.doc_comment,
    $._operator_line,
    $._recovering,
  ],

  extras: ($) => [/[ \t\r]+/, $.comment, $._continuation],

  reserved: {
    global: (_) => HARD,
    clauses: (_) => [...HARD, ...CLAUSES],
  },

  supertypes: ($) => [$.declaration, $.expression],

  inline: ($) => [$._name, $._end, $._file_end],

  conflicts: ($) => [
    // After `test from heldout,` a name is a further source, unless `from` or a share after it makes it the next part.
    [$.part],
    // An argument `by …` is a clause, unless what follows makes `by` a field.
    [$.by_argument, $._expression_name],
  ],

  rules: {
    // The compiler asks for the edition; an editor also colours a file or a piece of one that lacks it.
    file: ($) =>
      seq(
        repeat($._file_end),
        optional(seq(choice($.edition, $.declaration), repeat(seq($._file_end, optional($.declaration))))),
      ),

    edition: ($) => seq("annot", field("number", $.number)),

    declaration: ($) =>
      choice(
        $.source,
        $.label,
        $.clean,
        $.policy,
        $.template,
        $.dataset,
        $.model,
        $.train,
        $.evaluate,
        $.test,
        $.import,
        $.constant,
        $.function,
      ),

    _end: ($) => choice($._newline, ";"),
    _file_end: ($) => choice($._end, $._line_declaration),
    // A list may go on in the next line.
    _comma: ($) => seq(",", repeat($._newline)),
    _docs: ($) => repeat1(seq($.doc_comment, repeat1($._newline))),
    _declaration_docs: ($) => repeat1(seq($.doc_comment, repeat1(choice($._newline, $._line_declaration)))),

    // --------------------------------------------------------------------------------------------------------- sources

    source: ($) => documented($, "source", field("name", $._name), field("body", alias($._source_block, $.block))),
    _source_block: ($) => block($, $._source_item),
    _source_item: ($) =>
      choice(
        $.source_path,
        $.source_annotations,
        $.source_format,
        $.source_license,
        $.source_origin,
        $.source_consent,
        $.source_bad_row,
        $.source_row,
        $.source_fields,
      ),
    source_path: ($) => seq("path", $._texts),
    source_annotations: ($) => seq("annotations", $._texts),
    source_format: ($) => seq("format", field("format", $._name), optional($._settings)),
    source_license: ($) => seq("license", $.text),
    source_origin: ($) => seq("origin", $.text),
    source_consent: ($) => seq("consent", $.text),
    source_bad_row: ($) => seq("on_bad_row", field("action", $._name)),
    source_row: ($) => seq("row", "at", "most", field("longest", $.quantity)),
    source_fields: ($) => seq("fields", field("body", alias($._fields_block, $.block))),

    _fields_block: ($) => block($, $.field),
    field: ($) => seq(optional($._docs), field("name", $._name), ":", field("type", $._type), repeat($.attribute)),

    _type: ($) => choice($.type, $.list_type, $.record_type, $.nullable_type),
    type: ($) => choice($.identifier, $.quoted_identifier, alias("list", $.identifier)),
    list_type: ($) => seq("list", "<", $._type, ">"),
    record_type: ($) => seq(alias($._record_open, "{"), listed($.type_entry), "}"),
    type_entry: ($) => seq(field("name", $._name), ":", field("type", $._type)),
    nullable_type: ($) => seq(choice($.type, $.list_type, $.record_type), "?"),

    attribute: ($) => seq("@", field("name", $.identifier), optional(alias($._attribute_arguments, $.arguments))),
    _attribute_arguments: ($) => seq("(", listed(choice($._name, $.text)), ")"),

    // ---------------------------------------------------------------------------------------------------------- labels

    label: ($) => documented($, "label", field("name", $._name), ":", field("schema", $._schema)),
    _schema: ($) => choice($.choice, $.choices, $.spans, $.scale, $.json, $.simple_schema),
    choice: ($) => seq("choice", $._values),
    choices: ($) => seq("choices", optional(seq("(", field("count", $.range), ")")), $._values),
    spans: ($) =>
      seq(
        "spans",
        clause($, "over"),
        field("field", $._name),
        $._values,
        optional(seq("overlap", field("overlap", $._name))),
      ),
    scale: ($) => seq("scale", field("range", $.range), optional(field("body", alias($._constraints_block, $.block)))),
    json: ($) => seq("json", field("body", alias($._fields_block, $.block))),
    simple_schema: (_) => choice("number", "flag", "text", "rank", "preference"),

    _values: ($) => choice(field("body", alias($._values_block, $.block)), seq("from", choice($.text, $.values_field))),
    values_field: ($) => seq(field("source", $._name), ".", field("field", $._name)),
    _values_block: ($) => block($, $.value),
    value: ($) =>
      seq(
        optional($._docs),
        field("name", choice($._name, $.text)),
        optional(field("title", $.text)),
        optional(seq("key", field("key", $.text))),
        optional(field("body", alias($._values_block, $.block))),
      ),

    _constraints_block: ($) => block($, $.constraint),
    constraint: ($) => seq("when", $.expression, "require", $.expression),

    // -------------------------------------------------------------------------------------------------------- cleaning

    clean: ($) => documented($, "clean", field("name", $._name), field("body", alias($._clean_block, $.block))),
    _clean_block: ($) => block($, choice($.set, $.drop, $.dedup, $.decontaminate, alias($._clean_pack, $.pack))),
    set: ($) => seq("set", field("field", $._name), "=", $.expression),
    drop: ($) => seq("drop", field("reason", $.text), $.when),
    dedup: ($) =>
      seq(
        "dedup",
        choice(
          seq(choice("lines", "sentences"), "of", field("field", $._name), optional($.at_least)),
          seq("substrings", "of", field("field", $._name), $.at_least),
          seq(
            // `lines` may be a field; `lines of` is not.
            field("field", choice($._name, ...["lines", "sentences", "substrings"].map((word) => alias(word, $.identifier)))),
            repeat(seq($._comma, field("field", $._name))),
            choice("exactly", $.near),
            optional($.kept),
          ),
        ),
      ),
    at_least: ($) => seq(clause($, "at"), "least", $.quantity),
    kept: ($) =>
      seq(clause($, "keep"), choice("first", "longest", seq("best", "by", field("score", $.expression)))),
    decontaminate: ($) =>
      seq(
        "decontaminate",
        field("field", $._name),
        clause($, "against"),
        separated($.evaluation, $._comma),
        clause($, "by"),
        $.quantity,
      ),
    evaluation: ($) => choice(field("path", $.text), seq(field("source", $._name), ".", field("field", $._name))),
    _clean_pack: ($) =>
      seq("pack", field("pack", $._name), optional(seq("of", field("field", $._name))), optional($._settings)),
    near: ($) =>
      seq(
        clause($, "near"),
        $._amount,
        optional(choice(seq(clause($, "over"), $.quantity), seq(clause($, "like"), field("preset", $._name)))),
      ),
    when: ($) => seq(clause($, "when"), $.expression),

    // ---------------------------------------------------------------------------------------------------------- policy

    policy: ($) => documented($, "policy", field("name", $._name), field("body", alias($._policy_block, $.block))),
    _policy_block: ($) =>
      block(
        $,
        choice(
          $.redact,
          $.forbid,
          $.allow_license,
          $.allow_personal,
          $.require,
          $.keep_for,
          $.k_anonymous,
          $.pack,
        ),
      ),
    redact: ($) => seq("redact", separated($._target, $._comma), ":", names($, "kind")),
    _target: ($) => field("target", choice($.personal, $._name)),
    personal: (_) => seq("@", "personal"),
    forbid: ($) => seq("forbid", field("reason", $.text), $.when, optional($.else_drop)),
    allow_license: ($) => seq("allow", "license", "in", alias($._text_list, $.list)),
    allow_personal: ($) => seq("allow", "personal", names($, "field"), clause($, "because"), field("reason", $.text)),
    require: ($) => seq("require", $.expression, optional($.per)),
    per: ($) => seq(clause($, "per"), field("label", $._name)),
    keep_for: ($) => seq("keep", "for", $.quantity, "from", field("field", $._name)),
    k_anonymous: ($) => seq("k_anonymous", $._amount, clause($, "over"), "(", listed1(field("field", $._name)), ")"),
    pack: ($) => seq("pack", separated(field("pack", $._name), ".")),
    else_drop: ($) => seq(clause($, "else"), "drop"),

    // ------------------------------------------------------------------------------------------------------- templates

    template: ($) =>
      documented(
        $,
        "template",
        field("name", $._name),
        ":",
        field("kind", $._name),
        field("body", alias($._template_block, $.block)),
      ),
    _template_block: ($) => block($, choice($.turns, $.slot)),
    turns: ($) => seq(optional("mute"), "turns", field("field", $._name)),
    slot: ($) => seq(optional("mute"), field("slot", $.slot_name), field("template", $.text)),
    slot_name: (_) => choice("system", "user", "assistant", "prompt", "completion", "chosen", "rejected", "text"),

    // ------------------------------------------------------------------------------------------------------- data sets

    dataset: ($) => documented($, "dataset", field("name", $._name), field("body", alias($._dataset_block, $.block))),
    _dataset_block: ($) =>
      block(
        $,
        choice(
          $.dataset_from,
          $.dataset_purpose,
          $.dataset_clean,
          $.dataset_label,
          $.dataset_policy,
          $.sample,
          $.take,
          $.balance,
          $.mix,
          $.weight,
          $.split,
          $.write,
        ),
      ),
    dataset_from: ($) => seq("from", names($, "source")),
    dataset_purpose: ($) => seq("purpose", $.text),
    dataset_clean: ($) => seq("clean", names($, "clean")),
    dataset_policy: ($) => seq("policy", names($, "policy")),
    dataset_label: ($) =>
      seq(
        "label",
        field("name", $._name),
        choice(
          seq("=", $.expression, optional($.else_drop)),
          field("body", alias($._label_block, $.block)),
        ),
      ),
    _label_block: ($) =>
      block(
        $,
        choice(
          $.from_annotations,
          $.from_rule,
          $.from_model,
          $.from_value,
          $.resolve,
          alias($._label_require, $.require),
        ),
      ),
    from_annotations: ($) => seq("from", "annotations", $._texts),
    // `drop` is no value here; with a token after it that is never made, it is a word that leads nowhere.
    from_rule: ($) =>
      seq(
        "from",
        "rule",
        field("name", $.text),
        $.when,
        "=>",
        choice(field("value", $.expression), seq("drop", $._operator_line)),
      ),
    from_model: ($) => seq("from", "model", field("model", $._name), optional($.when), optional("vote")),
    from_value: ($) => seq("from", $.expression, optional($.else_drop)),
    resolve: ($) => seq("resolve", field("method", $._name), optional($.else_drop)),
    _label_require: ($) => seq("require", $.expression),

    sample: ($) => seq("sample", $._amount, optional($.seed)),
    take: ($) => seq("take", $._amount, repeat(choice($.per, $.seed))),
    balance: ($) => seq("balance", field("field", $._name), repeat(choice($.at_most, $.seed))),
    at_most: ($) => seq(clause($, "at"), "most", $.quantity),
    mix: ($) => seq("mix", separated($.mixed, $._comma), optional($.seed)),
    mixed: ($) => seq(field("source", $._name), field("share", $._amount)),
    weight: ($) => seq("weight", field("source", $._name), $._amount, optional($.seed)),

    split: ($) =>
      seq(
        "split",
        choice($.split_field, separated($.part, $._comma)),
        repeat(choice($.split_by, $.split_check, $.stratify, $.seed)),
      ),
    split_field: ($) => seq("as", field("field", $._name)),
    part: ($) =>
      seq(
        field("name", choice($._name, alias("as", $.identifier))),
        choice(
          seq("from", names($, "source")),
          seq("from", field("from", $.text), optional(seq("before", field("before", $.text)))),
          seq("before", field("before", $.text)),
          field("share", $._amount),
        ),
      ),
    split_by: ($) =>
      seq(
        clause($, "by"),
        choice(
          seq("time", field("field", $._name)),
          seq(field("field", choice($._name, alias("time", $.identifier))), optional($.near)),
        ),
      ),
    split_check: ($) => seq(clause($, "check"), field("field", $._name), $.near),
    stratify: ($) => seq(clause($, "stratify"), field("field", $._name)),
    seed: ($) => seq(clause($, "seed"), $._amount),

    write: ($) =>
      seq(
        "write",
        field("format", $._name),
        optional(seq("from", field("template", $._name))),
        optional(seq("as", field("name", $._name))),
        optional($._settings),
      ),

    // --------------------------------------------------------------------------------------- models, runs, evaluation

    model: ($) => documented($, "model", field("name", $._name), field("body", alias($._model_block, $.block))),
    _model_block: ($) => block($, choice($.model_onnx, $.model_new, alias($._model_setting, $.setting))),
    model_onnx: ($) => seq("onnx", $.text),
    model_new: ($) => seq("new", field("kind", $._name), optional($._settings)),
    _model_setting: ($) => seq(field("name", "pooling"), optional($._setting_value)),

    train: ($) => documented($, "train", field("name", $._name), field("body", alias($._train_block, $.block))),
    _train_block: ($) =>
      block(
        $,
        choice(
          $.train_model,
          $.train_data,
          $.task,
          $.tune,
          $.length,
          $.epochs,
          $.steps,
          $.batch,
          $.rate,
          $.optimizer,
          $.validate,
          $.stop,
          $.keep_best,
          $.checkpoint,
          $.device,
          alias($._train_setting, $.setting),
        ),
      ),
    train_model: ($) => seq("model", field("model", $._name)),
    train_data: ($) => seq("data", field("data", $._name)),
    task: ($) =>
      seq(
        "task",
        choice(
          seq(choice("classify", "regress"), field("label", $._name), "from", field("field", $._name)),
          seq("tag", field("label", $._name)),
          seq(choice("generate", "prefer", "embed"), "from", field("template", $._name)),
        ),
      ),
    tune: ($) => seq("tune", field("what", $._name), optional($._settings)),
    length: ($) => seq("length", $.quantity, optional($.length_else)),
    length_else: ($) => seq(clause($, "else"), choice(seq("keep", field("side", $._name)), "drop")),
    epochs: ($) => seq("epochs", $._amount),
    steps: ($) => seq("steps", $._amount),
    batch: ($) => seq("batch", $._amount, optional($.accumulate)),
    accumulate: ($) => seq(clause($, "accumulate"), $._amount),
    rate: ($) => seq("rate", $._amount, optional($.schedule), repeat(choice($.warmup, $.decay, $.floor))),
    schedule: ($) => $._clauseless_name,
    warmup: ($) => seq(clause($, "warmup"), $.quantity),
    decay: ($) => seq(clause($, "decay"), $.quantity),
    floor: ($) => seq(clause($, "floor"), $._amount),
    optimizer: ($) => seq("optimizer", field("optimizer", $._name), optional($._settings)),
    validate: ($) => seq("validate", optional(seq("every", $.quantity)), optional($.validate_by)),
    validate_by: ($) => seq(clause($, "by"), $.expression),
    stop: ($) => seq("stop", "after", $.quantity, "without", "gain"),
    keep_best: ($) => seq("keep", "best", optional($._amount)),
    checkpoint: ($) => seq("checkpoint", "every", $.quantity),
    device: ($) => seq("device", field("device", $._name), optional($.device_else)),
    device_else: ($) => seq(clause($, "else"), field("device", $._name)),
    _train_setting: ($) =>
      seq(
        field("name", choice("clip", "seed", "smooth", "beta", "shuffle", "pack", "recompute", "precision", "weights")),
        optional($._setting_value),
      ),

    evaluate: ($) =>
      documented(
        $,
        "evaluate",
        field("run", $._name),
        "on",
        field("data", $._name),
        ".",
        field("part", $._name),
        field("body", alias($._evaluate_block, $.block)),
      ),
    _evaluate_block: ($) => block($, choice($.report, $.by, $.generate, alias($._label_require, $.require))),
    generate: ($) => seq("generate", field("method", $._name), optional($._settings)),
    report: ($) => seq("report", names($, "metric")),
    by: ($) => seq("by", $.expression, optional($.at)),
    at: ($) => seq(clause($, "at"), $.quantity_list),

    // --------------------------------------------------------------------------- tests, imports, constants, functions

    test: ($) =>
      documented(
        $,
        "test",
        field("subject", $._name),
        field("title", $.text),
        field("body", alias($._test_block, $.block)),
      ),
    _test_block: ($) => block($, choice($.given, $.expect)),
    given: ($) => seq("given", $.record),
    expect: ($) => seq("expect", choice(seq("drop", optional($.text)), "quarantine", $.record)),

    import: ($) => seq("use", field("path", $.text), ":", separated($.import_name, $._comma)),
    import_name: ($) => seq(field("name", $._name), optional(seq("as", field("alias", $._name)))),

    constant: ($) => documented($, "let", field("name", $._name), "=", field("value", $.expression)),

    function: ($) =>
      documented(
        $,
        "fn",
        field("name", $._name),
        field("parameters", $.parameters),
        "=",
        field("value", $.expression),
      ),
    parameters: ($) => seq("(", listed($.parameter), ")"),
    parameter: ($) => seq(field("name", $._name), ":", field("type", $._type)),

    // --------------------------------------------------------------------------------------------------------- options

    _settings: ($) => field("settings", alias($._settings_block, $.block)),
    _settings_block: ($) => block($, $.setting),
    setting: ($) => seq(field("name", $._name), optional($._setting_value)),
    _setting_value: ($) =>
      field("value", choice($.quantity_list, alias($._some_texts, $.list), $.quantity, $.text, $._name)),
    // An empty list is one of quantities.
    _some_texts: ($) => seq("[", listed1($.text), "]"),

    quantity: ($) => seq($._amount, optional($.unit)),
    unit: ($) => $._clauseless_name,
    quantity_list: ($) => seq("[", listed($.quantity), "]"),
    range: ($) => seq($._amount, "..", $._amount),
    _amount: ($) => seq(optional("-"), choice($.number, $.percent)),

    _texts: ($) => separated($.text, $._comma),
    _text_list: ($) => seq("[", listed($.text), "]"),

    // ----------------------------------------------------------------------------------------------------- expressions

    expression: ($) => choice($._operand, $.unary, $.binary, $.null_test, $.match),

    unary: ($) =>
      choice(
        prec(LEVEL.not, seq(field("operator", "not"), field("value", $.expression))),
        prec(LEVEL.negate, seq(field("operator", "-"), field("value", $.expression))),
      ),

    binary: ($) =>
      choice(
        ...[
          ["or", LEVEL.or],
          ["and", LEVEL.and],
          ...["==", "!=", "<", "<=", ">", ">=", "in", "matches"].map((sign) => [sign, LEVEL.compare]),
          [seq("not", "in"), LEVEL.compare],
          ["??", LEVEL.coalesce],
          ["+", LEVEL.sum],
          ["-", LEVEL.sum],
          ["*", LEVEL.product],
          ["/", LEVEL.product],
        ].map(([operator, level]) =>
          prec.left(
            level,
            seq(field("left", $.expression), field("operator", operator), field("right", $.expression)),
          ),
        ),
        // The scanner never makes this token. That it is valid tells the scanner that an operator may follow, so that a
        // line which begins with one goes on with the statement.
        prec.left(seq($.expression, $._operator_line)),
      ),

    null_test: ($) => prec.left(LEVEL.compare, seq(field("value", $.expression), "is", optional("not"), "null")),
    match: ($) =>
      prec.left(
        LEVEL.compare,
        seq(field("subject", $.expression), "match", field("body", alias($._match_block, $.block))),
      ),
    _match_block: ($) => block($, $.arm),
    arm: ($) =>
      seq(choice("else", $.patterns), "=>", field("value", choice(alias("drop", $.drop_action), $.expression))),
    patterns: ($) => separated(choice($._amount, $.text, $.boolean, $._name), $._comma),

    _operand: ($) => choice($._postfix, $.pipe),
    _postfix: ($) => choice($._primary, $.member, $.index),
    member: ($) => seq(field("value", $._postfix), ".", field("name", $._name)),
    index: ($) => seq(field("value", $._postfix), "[", field("index", $.expression), "]"),
    pipe: ($) =>
      seq(field("value", $._operand), "|>", field("function", $._name), optional(field("arguments", $.arguments))),

    _primary: ($) =>
      choice(
        $.percent,
        $.number,
        $.text,
        $.regex,
        $.null,
        $.boolean,
        $.list,
        $.record,
        $.group,
        $.call,
        $._expression_name,
      ),
    // In an expression these words are names, although a word in the same place can begin something else.
    _expression_name: ($) => choice($._name, alias(choice("annotations", "rule", "model", "by"), $.identifier)),
    group: ($) => seq("(", $.expression, ")"),
    list: ($) => seq("[", listed($.expression), "]"),
    record: ($) => seq(alias($._record_open, "{"), listed($.entry), "}"),
    entry: ($) => seq(field("name", $._name), ":", field("value", $.expression)),
    call: ($) => seq(field("function", $._expression_name), field("arguments", $.arguments)),
    arguments: ($) => seq("(", listed(choice($.by_argument, $.expression)), ")"),
    by_argument: ($) => prec.dynamic(1, seq("by", $.expression)),

    // ------------------------------------------------------------------------------------------------------ characters

    _name: ($) => choice($.identifier, $.quoted_identifier),
    _clauseless_name: ($) => choice(reserved("clauses", $.identifier), $.quoted_identifier),
    identifier: (_) => /[\p{Alphabetic}_][\p{Alphabetic}0-9_]*/,
    quoted_identifier: (_) => /`[^`\n]+`/,

    null: (_) => "null",
    boolean: (_) => choice("true", "false"),

    text: ($) =>
      choice(
        seq('"', repeat(choice($.text_content, $.escape_sequence)), token.immediate('"')),
        seq(
          '"""',
          repeat(choice(alias($._long_text_content, $.text_content), $.escape_sequence)),
          token.immediate('"""'),
        ),
      ),
    escape_sequence: (_) => token.immediate(/\\(u\{[0-9a-fA-F]{1,6}\}|[^\n])/),

    // The flags belong to the closing slash: a word in the next line is none.
    regex: ($) => seq("/", $.regex_pattern, alias(token.immediate(/\/[a-z]*/), "/")),
    regex_pattern: (_) =>
      token.immediate(prec(1, /(\[\^?\]?(\\[^\n]|[^\]\\\n])*\]|\\[^\n]|[^\/\\\n])+/)),
  },
});
