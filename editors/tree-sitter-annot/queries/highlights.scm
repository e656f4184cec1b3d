; Each node has one capture, so that it does not matter whether an editor takes the first pattern or the last.

(comment) @comment
(doc_comment) @comment.documentation

; Words that begin declarations
["source" "label" "clean" "policy" "template" "dataset" "model" "train" "evaluate" "test" "annot" "let"] @keyword
"fn" @keyword.function
"use" @keyword.import

; Words that begin statements and clauses
[
  "path" "annotations" "format" "license" "origin" "consent" "on_bad_row" "row" "most" "fields"
  "from" "key" "over" "overlap"
  "set" "drop" "dedup" "exactly" "near" "of" "lines" "sentences" "substrings" "least" "like" "first" "longest"
  "decontaminate" "against"
  "redact" "forbid" "allow" "because" "require" "per" "keep" "for" "k_anonymous" "pack"
  "turns" "mute"
  "purpose" "rule" "vote" "resolve" "sample" "take" "balance" "most" "mix" "weight" "split" "before" "time" "as" "by"
  "check" "stratify" "seed" "write"
  "onnx" "new" "pooling"
  "data" "task" "classify" "regress" "tag" "generate" "prefer" "embed" "tune" "length" "epochs" "steps" "batch"
  "accumulate" "rate" "warmup" "decay" "floor" "optimizer" "checkpoint" "validate" "every" "stop" "after" "without" "gain" "best" "device"
  "clip" "smooth" "beta" "shuffle" "recompute" "precision" "weights"
  "on" "report" "at" "given" "expect" "quarantine"
] @keyword
(allow_personal "personal" @keyword)
(slot_name) @keyword
(drop_action) @keyword

["when" "else" "match"] @keyword.conditional
["and" "or" "not" "in" "is" "matches"] @keyword.operator

; Kinds and types
["choice" "choices" "spans" "scale" "json"] @type.builtin
(simple_schema) @type.builtin
(template kind: (_) @type.builtin)
(type) @type.builtin
(list_type "list" @type.builtin)

; Names that are declared
(source name: (_) @type)
(label name: (_) @type)
(clean name: (_) @type)
(policy name: (_) @type)
(template name: (_) @type)
(dataset name: (_) @type)
(model name: (_) @type)
(train name: (_) @type)
(constant name: (_) @constant)
(function name: (_) @function)
(parameter name: (_) @variable.parameter)

; Names of other declarations
(values_field source: (_) @type)
(dataset_from source: (_) @type)
(dataset_clean clean: (_) @type)
(dataset_label name: (_) @type)
(dataset_policy policy: (_) @type)
(from_model model: (_) @type)
(part source: (_) @type)
(per label: (_) @type)
(write template: (_) @type)
(train_model model: (_) @type)
(train_data data: (_) @type)
(task label: (_) @type)
(task template: (_) @type)
(evaluate run: (_) @type)
(evaluate data: (_) @type)
(test subject: (_) @type)
(import_name name: (_) @type)
(import_name alias: (_) @type)

; Fields and options
(field name: (_) @variable.member)
(type_entry name: (_) @variable.member)
(values_field field: (_) @variable.member)
(spans field: (_) @variable.member)
(set field: (_) @variable.member)
(dedup field: (_) @variable.member)
(decontaminate field: (_) @variable.member)
(evaluation field: (_) @variable.member)
(balance field: (_) @variable.member)
(redact target: (identifier) @variable.member)
(redact target: (quoted_identifier) @variable.member)
(allow_personal field: (_) @variable.member)
(k_anonymous field: (_) @variable.member)
(turns field: (_) @variable.member)
(keep_for field: (_) @variable.member)
(split_field field: (_) @variable.member)
(split_by field: (_) @variable.member)
(split_check field: (_) @variable.member)
(stratify field: (_) @variable.member)
(task field: (_) @variable.member)
(entry name: (_) @variable.member)
(member name: (_) @variable.member)
(setting name: (identifier) @property)
(setting name: (quoted_identifier) @property)

; Values out of closed lists, values of labels, parts of a split
(value name: (identifier) @constant)
(value name: (quoted_identifier) @constant)
(patterns (identifier) @constant)
(patterns (quoted_identifier) @constant)
(part name: (_) @constant)
(evaluate part: (_) @constant)
(source_format format: (_) @constant.builtin)
(source_bad_row action: (_) @constant.builtin)
(redact kind: (_) @constant.builtin)
(pack pack: (_) @constant.builtin)
(pack field: (_) @variable.member)
(spans overlap: (_) @constant.builtin)
(resolve method: (_) @constant.builtin)
(write format: (_) @constant.builtin)
(write name: (_) @constant)
(model_new kind: (_) @constant.builtin)
(tune what: (_) @constant.builtin)
(length_else side: (_) @constant.builtin)
(schedule) @constant.builtin
(optimizer optimizer: (_) @constant.builtin)
(generate method: (_) @constant.builtin)
(device device: (_) @constant.builtin)
(device_else device: (_) @constant.builtin)
(report metric: (_) @constant.builtin)
(setting value: (identifier) @constant.builtin)

; Expressions
(call function: (_) @function.call)
(pipe function: (_) @function.call)
(null) @constant.builtin
(null_test "null" @constant.builtin)
(boolean) @boolean

; Literals
(number) @number
(percent) @number
(unit) @number
(text) @string
(escape_sequence) @string.escape
(regex) @string.regexp

; Attributes
(attribute "@" @attribute name: (_) @attribute)
(personal) @attribute

; Signs
["+" "-" "*" "??" "==" "!=" "<" "<=" ">" ">=" "|>" "=" "=>" ".." "?"] @operator
(binary operator: "/" @operator)
["(" ")" "[" "]" "{" "}"] @punctuation.bracket
["," ";" ":" "."] @punctuation.delimiter
