//! The one table of the words that begin a statement, block by block.

/// The kinds of block, the file itself included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Block {
    /// The file itself.
    File,
    /// `source NAME { … }`
    Source,
    /// `fields { … }` and `json { … }`
    Fields,
    /// The values of a label.
    Values,
    /// `scale 1..5 { … }`
    Constraints,
    /// `clean NAME { … }`
    Clean,
    /// `policy NAME { … }`
    Policy,
    /// `template NAME: KIND { … }`
    Template,
    /// `dataset NAME { … }`
    Dataset,
    /// `label NAME { … }` of a data set.
    LabelSources,
    /// `model NAME { … }`
    Model,
    /// `train NAME { … }`
    Train,
    /// `evaluate RUN on DATASET.PART { … }`
    Evaluate,
    /// `test NAME "title" { … }`
    Test,
    /// `match { … }`
    Arms,
    /// A block of options.
    Settings,
}

impl Block {
    /// How a message calls the block.
    pub fn describe(self) -> &'static str {
        match self {
            Self::File => "the file",
            Self::Source => "a `source` block",
            Self::Fields => "a list of fields",
            Self::Values => "a list of values",
            Self::Constraints => "a `scale` block",
            Self::Clean => "a `clean` block",
            Self::Policy => "a `policy` block",
            Self::Template => "a `template` block",
            Self::Dataset => "a `dataset` block",
            Self::LabelSources => "a data set's `label` block",
            Self::Model => "a `model` block",
            Self::Train => "a `train` block",
            Self::Evaluate => "an `evaluate` block",
            Self::Test => "a `test` block",
            Self::Arms => "a `match` block",
            Self::Settings => "a block of options",
        }
    }

    /// Whether a statement of it may be documented with `///`.
    pub fn takes_docs(self) -> bool {
        matches!(self, Self::File | Self::Fields | Self::Values)
    }

    /// The words that may begin its statements; none where any name may.
    pub fn words(self) -> impl Iterator<Item = &'static Word> {
        WORDS.iter().filter(move |word| word.block == self)
    }

    /// What its statements are called, where nothing in them can stand behind a comma: authors put one between them.
    pub fn without_commas(self) -> Option<&'static str> {
        match self {
            Self::Fields => Some("fields"),
            Self::Values => Some("values"),
            Self::Arms => Some("arms"),
            Self::Settings => Some("options"),
            Self::File
            | Self::Source
            | Self::Constraints
            | Self::Clean
            | Self::Policy
            | Self::Template
            | Self::Dataset
            | Self::LabelSources
            | Self::Model
            | Self::Train
            | Self::Evaluate
            | Self::Test => None,
        }
    }

    /// Whether its statements begin with names of the author's choice.
    pub fn is_open(self) -> bool {
        matches!(self, Self::Fields | Self::Values | Self::Arms | Self::Settings)
    }
}

/// A statement as the reference shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Statement {
    /// The block that it stands in, with its article: ``a `clean` block``.
    pub block: &'static str,
    /// The word that it begins with.
    pub word: &'static str,
    /// A whole statement.
    pub example: &'static str,
}

/// Every statement that begins with a word of the language, block by block.
pub fn statements() -> impl Iterator<Item = Statement> {
    WORDS.iter().map(|row| Statement { block: row.block.describe(), word: row.word, example: row.example })
}

/// A word that begins a statement.
pub struct Word {
    /// The block that the statement stands in.
    pub block: Block,
    /// The word.
    pub word: &'static str,
    /// The block that the statement opens, if it can.
    pub opens: Option<Block>,
    /// A whole statement, as a message shows it.
    pub example: &'static str,
}

const fn word(block: Block, word: &'static str, opens: Option<Block>, example: &'static str) -> Word {
    Word { block, word, opens, example }
}

/// Every word that begins a statement.
pub const WORDS: &[Word] = &[
    word(Block::File, "annot", None, "annot 1"),
    word(Block::File, "source", Some(Block::Source), "source questions { path \"questions.csv\" }"),
    word(Block::File, "label", Some(Block::Values), "label intent: choice { refund; cancel }"),
    word(Block::File, "clean", Some(Block::Clean), "clean tidy { dedup text exactly }"),
    word(Block::File, "policy", Some(Block::Policy), "policy house { redact @personal: email }"),
    word(Block::File, "template", Some(Block::Template), "template route: chat { user \"{{ text }}\" }"),
    word(Block::File, "dataset", Some(Block::Dataset), "dataset tickets { from questions }"),
    word(Block::File, "model", Some(Block::Model), "model base { onnx \"models/base\" }"),
    word(Block::File, "train", Some(Block::Train), "train router { model base; data tickets }"),
    word(Block::File, "evaluate", Some(Block::Evaluate), "evaluate router on tickets.test { report accuracy }"),
    word(Block::File, "test", Some(Block::Test), "test tidy \"title\" { given { text: \"a\" }; expect drop }"),
    word(Block::File, "use", None, "use \"house.annot\": bank"),
    word(Block::File, "let", None, "let shortest = 3"),
    word(Block::File, "fn", None, "fn title(s: string) = s |> nfc"),
    word(Block::Source, "path", None, "path \"data/train.csv\""),
    word(Block::Source, "annotations", None, "annotations \"ann.jsonl\""),
    word(Block::Source, "format", Some(Block::Settings), "format csv"),
    word(Block::Source, "license", None, "license \"CC-BY-4.0\""),
    word(Block::Source, "origin", None, "origin \"where it comes from\""),
    word(Block::Source, "consent", None, "consent \"contract\""),
    word(Block::Source, "on_bad_row", None, "on_bad_row quarantine"),
    word(Block::Source, "row", None, "row at most 8 MiB"),
    word(Block::Source, "fields", Some(Block::Fields), "fields { text: string }"),
    word(Block::Constraints, "when", None, "when flagged == true require severity >= 3"),
    word(Block::Clean, "set", None, "set text = nfc(text)"),
    word(Block::Clean, "drop", None, "drop \"too short\" when words(text) < 3"),
    word(Block::Clean, "dedup", None, "dedup text exactly"),
    word(Block::Clean, "decontaminate", None, "decontaminate text against \"eval/*.jsonl\" by 13 words"),
    word(Block::Clean, "pack", Some(Block::Settings), "pack gopher_quality of text"),
    word(Block::Policy, "redact", None, "redact @personal: email, phone"),
    word(Block::Policy, "forbid", None, "forbid \"reason\" when text is null"),
    word(Block::Policy, "allow", None, "allow license in [\"MIT\"]"),
    word(Block::Policy, "require", None, "require count() >= 20 per intent"),
    word(Block::Policy, "keep", None, "keep for 24 months from created"),
    word(Block::Policy, "k_anonymous", None, "k_anonymous 5 over (age, region)"),
    word(Block::Policy, "pack", None, "pack hipaa.safe_harbor"),
    word(Block::Template, "system", None, "system \"Answer briefly.\""),
    word(Block::Template, "user", None, "user \"{{ text }}\""),
    word(Block::Template, "assistant", None, "assistant \"{{ intent }}\""),
    word(Block::Template, "turns", None, "turns history"),
    word(Block::Template, "mute", None, "mute assistant \"{{ first }}\""),
    word(Block::Template, "prompt", None, "prompt \"{{ question }}\""),
    word(Block::Template, "completion", None, "completion \"{{ answer }}\""),
    word(Block::Template, "chosen", None, "chosen \"{{ good }}\""),
    word(Block::Template, "rejected", None, "rejected \"{{ bad }}\""),
    word(Block::Template, "text", None, "text \"{{ text }}\""),
    word(Block::Dataset, "from", None, "from questions, heldout"),
    word(Block::Dataset, "purpose", None, "purpose \"commercial\""),
    word(Block::Dataset, "clean", None, "clean tidy"),
    word(Block::Dataset, "label", Some(Block::LabelSources), "label intent = category"),
    word(Block::Dataset, "policy", None, "policy bank"),
    word(Block::Dataset, "sample", None, "sample 10% seed 7"),
    word(Block::Dataset, "take", None, "take 1000 per intent"),
    word(Block::Dataset, "balance", None, "balance intent at most 3 times"),
    word(Block::Dataset, "mix", None, "mix web 70%, books 30%"),
    word(Block::Dataset, "weight", None, "weight books 2"),
    word(Block::Dataset, "split", None, "split train 90%, test 10% stratify intent seed 7"),
    word(Block::Dataset, "write", Some(Block::Settings), "write messages from route"),
    word(Block::LabelSources, "from", None, "from category"),
    word(Block::LabelSources, "resolve", None, "resolve majority"),
    word(Block::LabelSources, "require", None, "require alpha >= 0.67"),
    word(Block::Model, "onnx", None, "onnx \"models/base\""),
    word(Block::Model, "new", Some(Block::Settings), "new encoder { layers 2; hidden 128 }"),
    word(Block::Model, "pooling", None, "pooling mean"),
    word(Block::Train, "model", None, "model base"),
    word(Block::Train, "data", None, "data tickets"),
    word(Block::Train, "task", None, "task classify intent from text"),
    word(Block::Train, "tune", Some(Block::Settings), "tune lora { rank 8; alpha 16 }"),
    word(Block::Train, "length", None, "length 64 tokens else keep start"),
    word(Block::Train, "epochs", None, "epochs 3"),
    word(Block::Train, "steps", None, "steps 2000"),
    word(Block::Train, "batch", None, "batch 32 accumulate 4"),
    word(Block::Train, "rate", None, "rate 3e-4 cosine warmup 10%"),
    word(Block::Train, "optimizer", Some(Block::Settings), "optimizer adamw { weight_decay 0.01 }"),
    word(Block::Train, "clip", None, "clip 1.0"),
    word(Block::Train, "seed", None, "seed 7"),
    word(Block::Train, "smooth", None, "smooth 0.1"),
    word(Block::Train, "beta", None, "beta 0.1"),
    word(Block::Train, "shuffle", None, "shuffle off"),
    word(Block::Train, "pack", None, "pack on"),
    word(Block::Train, "recompute", None, "recompute on"),
    word(Block::Train, "precision", None, "precision bf16"),
    word(Block::Train, "weights", None, "weights balanced"),
    word(Block::Train, "validate", None, "validate every 500 steps by f1.macro"),
    word(Block::Train, "stop", None, "stop after 2 validations without gain"),
    word(Block::Train, "keep", None, "keep best 2"),
    word(Block::Train, "checkpoint", None, "checkpoint every 500 steps"),
    word(Block::Train, "device", None, "device cuda else cpu"),
    word(Block::Evaluate, "report", None, "report accuracy, f1"),
    word(Block::Evaluate, "by", None, "by words(text) at [10, 20]"),
    word(Block::Evaluate, "generate", Some(Block::Settings), "generate greedy { tokens 64; stop \"###\" }"),
    word(Block::Evaluate, "require", None, "require f1.macro >= 0.85"),
    word(Block::Test, "given", None, "given { text: \"a\" }"),
    word(Block::Test, "expect", None, "expect { text: \"a\" }"),
];
