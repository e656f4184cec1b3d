; Only a function has names of its own; everything that is declared is known in the whole file.
(function) @local.scope
(parameter name: (identifier) @local.definition.parameter)
(identifier) @local.reference
