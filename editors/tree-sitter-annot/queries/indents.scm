; Captures as nvim-treesitter reads them.

[
  (block)
  (record)
  (record_type)
  (list)
  (quantity_list)
  (group)
  (arguments)
  (parameters)
] @indent.begin

; The clauses of a statement and the operators of an expression, where they stand in lines of their own.
[
  (drop)
  (forbid)
  (split)
  (dedup)
  (decontaminate)
  (require)
  (allow_personal)
  (binary)
  (pipe)
] @indent.begin

["}" "]" ")"] @indent.branch @indent.end

(text) @indent.ignore
(comment) @indent.auto
