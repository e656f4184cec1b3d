[
  (block)
  (record)
  (record_type)
  (list)
  (arguments)
] @fold

((comment)+ @fold)
((doc_comment)+ @fold)
