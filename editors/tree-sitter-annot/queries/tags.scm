((source (doc_comment)* @doc name: (_) @name) @definition.source (#strip! @doc "^///\\s*"))
((label (doc_comment)* @doc name: (_) @name) @definition.label (#strip! @doc "^///\\s*"))
((clean (doc_comment)* @doc name: (_) @name) @definition.clean (#strip! @doc "^///\\s*"))
((policy (doc_comment)* @doc name: (_) @name) @definition.policy (#strip! @doc "^///\\s*"))
((template (doc_comment)* @doc name: (_) @name) @definition.template (#strip! @doc "^///\\s*"))
((dataset (doc_comment)* @doc name: (_) @name) @definition.dataset (#strip! @doc "^///\\s*"))
((model (doc_comment)* @doc name: (_) @name) @definition.model (#strip! @doc "^///\\s*"))
((train (doc_comment)* @doc name: (_) @name) @definition.train (#strip! @doc "^///\\s*"))
((constant (doc_comment)* @doc name: (_) @name) @definition.constant (#strip! @doc "^///\\s*"))
((function (doc_comment)* @doc name: (_) @name) @definition.function (#strip! @doc "^///\\s*"))

(dataset_from source: (_) @name) @reference.source
(part source: (_) @name) @reference.source
(dataset_clean clean: (_) @name) @reference.clean
(dataset_label name: (_) @name) @reference.label
(dataset_policy policy: (_) @name) @reference.policy
(write template: (_) @name) @reference.template
(train_model model: (_) @name) @reference.model
(from_model model: (_) @name) @reference.train
(train_data data: (_) @name) @reference.dataset
(task label: (_) @name) @reference.label
(task template: (_) @name) @reference.template
(evaluate run: (_) @name) @reference.train
(evaluate data: (_) @name) @reference.dataset
(test subject: (_) @name) @reference.clean
(call function: (_) @name) @reference.call
(pipe function: (_) @name) @reference.call
