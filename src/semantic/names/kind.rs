//! What a name can mean, and the words for it.

/// The kinds of declaration that a name can mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::semantic) enum Kind {
    Source,
    Label,
    Clean,
    Policy,
    Template,
    Dataset,
    Model,
    Train,
    Constant,
    Function,
    /// A name that `use` should bring and that could not be found in the other file.
    Imported,
}

impl Kind {
    /// The word of the language for it.
    pub(in crate::semantic) fn word(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Label => "label",
            Self::Clean => "clean",
            Self::Policy => "policy",
            Self::Template => "template",
            Self::Dataset => "dataset",
            Self::Model => "model",
            Self::Train => "train",
            Self::Constant => "let",
            Self::Function => "fn",
            Self::Imported => "use",
        }
    }

    /// It with its article.
    pub(in crate::semantic) fn described(self) -> &'static str {
        match self {
            Self::Source => "a source",
            Self::Label => "a label",
            Self::Clean => "a `clean` block",
            Self::Policy => "a policy",
            Self::Template => "a template",
            Self::Dataset => "a data set",
            Self::Model => "a model",
            Self::Train => "a training run",
            Self::Constant => "a constant",
            Self::Function => "a function",
            Self::Imported => "an imported name",
        }
    }

    /// The plural that a list of them has.
    pub(super) fn plural(self) -> &'static str {
        match self {
            Self::Source => "sources",
            Self::Label => "labels",
            Self::Clean => "`clean` blocks",
            Self::Policy => "policies",
            Self::Template => "templates",
            Self::Dataset => "data sets",
            Self::Model => "models",
            Self::Train => "training runs",
            Self::Constant => "constants",
            Self::Function => "functions",
            Self::Imported => "imported names",
        }
    }
}
