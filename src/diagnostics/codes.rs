//! The one table of diagnostic codes. A code is never reused; each has a page in `docs/diagnostics/`.

use super::Severity;

macro_rules! codes {
    ($($variant:ident = $code:literal $name:literal $severity:ident;)*) => {
        /// A stable code. Ranges: 00 syntax, 01 names, 02 types and schemas, 03 cleaning, 04 compliance, 05 templates,
        /// 06 data, 07 ONNX import, 08 autodiff, 09 train and evaluate, 10 labels.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Code { $(#[doc = $name] $variant,)* }

        impl Code {
            /// Every code, in the order of the table.
            pub const ALL: &'static [Code] = &[$(Code::$variant,)*];

            /// The code as it is shown: `E0201`.
            pub fn id(self) -> &'static str {
                match self { $(Code::$variant => $code,)* }
            }

            /// Its name: `unknown-field`.
            pub fn name(self) -> &'static str {
                match self { $(Code::$variant => $name,)* }
            }

            /// Its page: what it means, why it matters, an example that fails and one that is mended, in Markdown.
            pub fn page(self) -> &'static str {
                match self {
                    $(Code::$variant => include_str!(concat!(
                        env!("CARGO_MANIFEST_DIR"), "/docs/diagnostics/", $code, ".md"
                    )),)*
                }
            }

            /// Its severity.
            pub fn severity(self) -> Severity {
                match self { $(Code::$variant => Severity::$severity,)* }
            }
        }
    };
}

codes! {
    UnexpectedToken      = "E0001" "unexpected-token" Error;
    UnknownDeclaration   = "E0002" "unknown-declaration" Error;
    UnknownStatement     = "E0003" "unknown-statement" Error;
    UnclosedBlock        = "E0004" "unclosed-block" Error;
    BadString            = "E0005" "bad-string" Error;
    BadNumber            = "E0006" "bad-number" Error;
    MissingEdition       = "E0007" "missing-edition" Error;
    MisplacedDoc         = "E0008" "misplaced-doc-comment" Error;
    NestedTooDeep        = "E0009" "nested-too-deep" Error;
    NotSupported         = "E0010" "not-supported" Error;
    BadRegex             = "E0011" "bad-regex" Error;
    BadCharacter         = "E0012" "bad-character" Error;
    UnknownName          = "E0101" "unknown-name" Error;
    DuplicateDeclaration = "E0102" "duplicate-declaration" Error;
    WrongKind            = "E0103" "wrong-kind" Error;
    DuplicateStatement   = "E0104" "duplicate-statement" Error;
    MissingStatement     = "E0105" "missing-statement" Error;
    UnusedDeclaration    = "W0106" "unused-declaration" Warning;
    RecursiveDefinition  = "E0107" "recursive-definition" Error;
    DuplicateName        = "E0108" "duplicate-name" Error;
    UnknownOption        = "E0109" "unknown-option" Error;
    UnknownWord          = "E0110" "unknown-word" Error;
    BadFileName          = "E0111" "bad-file-name" Error;
    ImportCycle          = "E0112" "import-cycle" Error;
    BadImport            = "E0113" "bad-import" Error;
    UnknownField         = "E0201" "unknown-field" Error;
    UnknownFunction      = "E0202" "unknown-function" Error;
    UnknownType          = "E0203" "unknown-type" Error;
    UnknownAttribute     = "E0204" "unknown-attribute" Error;
    WrongArgumentCount   = "E0205" "wrong-argument-count" Error;
    WrongType            = "E0206" "wrong-type" Error;
    ConditionNotBoolean  = "E0207" "condition-not-boolean" Error;
    ComparisonWithNull   = "E0208" "comparison-with-null" Error;
    ComparisonOfTypes    = "E0209" "comparison-of-types" Error;
    NullableValue        = "E0210" "nullable-value" Error;
    FieldTypeClash       = "E0211" "field-type-clash" Error;
    InvalidPattern       = "E0212" "invalid-pattern" Error;
    MatchNotExhaustive   = "E0213" "match-not-exhaustive" Error;
    UnreachableArm       = "E0214" "unreachable-arm" Error;
    NumberOutOfRange     = "E0215" "number-out-of-range" Error;
    UnknownUnit          = "E0216" "unknown-unit" Error;
    BadPath              = "E0217" "bad-path" Error;
    UnknownFormat        = "E0218" "unknown-format" Error;
    NotConstant          = "E0219" "not-constant" Error;
    MisplacedDrop        = "E0220" "misplaced-drop" Error;
    BadAttribute         = "E0221" "bad-attribute" Error;
    NeedlessDefault      = "W0222" "needless-default" Warning;
    ConstantCondition    = "W0301" "constant-condition" Warning;
    RepeatedRule         = "W0302" "repeated-rule" Warning;
    OrderUndone          = "W0303" "order-undone" Warning;
    OverwrittenSet       = "W0304" "overwritten-set" Warning;
    ShadowedRule         = "W0305" "shadowed-rule" Warning;
    KeptInVain           = "E0321" "kept-in-vain" Error;
    PersonalDataLeak     = "E0401" "personal-data-leak" Error;
    LicenceNotAllowed    = "E0402" "licence-not-allowed" Error;
    UnknownDetector      = "E0403" "unknown-detector" Error;
    BadLicence           = "E0404" "bad-licence" Error;
    UnknownLicence       = "W0405" "unknown-licence" Warning;
    NothingToRedact      = "W0406" "nothing-to-redact" Warning;
    CredentialsInPath    = "E0407" "credentials-in-path" Error;
    PurposeConflict      = "E0408" "purpose-conflict" Error;
    UnknownTerms         = "W0409" "unknown-terms" Warning;
    UnmeetableRequirement = "E0410" "unmeetable-requirement" Error;
    NothingToAllow       = "W0411" "nothing-to-allow" Warning;
    TemplateSyntax       = "E0501" "template-syntax" Error;
    UnknownTemplateVariable = "E0502" "unknown-template-variable" Error;
    MissingSlot          = "E0503" "missing-slot" Error;
    UnknownSlot          = "E0504" "unknown-slot" Error;
    UnknownTemplateKind  = "E0505" "unknown-template-kind" Error;
    NullInTemplate       = "W0506" "null-in-template" Warning;
    TemplateDoesNotFit   = "E0507" "template-does-not-fit" Error;
    AnswerNotFound       = "E0508" "answer-not-found" Error;
    AnswerInPrompt       = "W0509" "answer-in-prompt" Warning;
    SingleBraces         = "W0510" "single-braces" Warning;
    NullInOutput         = "W0511" "null-in-output" Warning;
    SharesDoNotSum       = "E0601" "shares-do-not-sum" Error;
    SourceNotInFrom      = "E0602" "source-not-in-from" Error;
    NoTrainPart          = "E0603" "no-train-part" Error;
    UnknownPart          = "E0604" "unknown-part" Error;
    MissingSplit         = "W0605" "missing-split" Warning;
    CannotStratify       = "E0606" "cannot-stratify" Error;
    StratumTooSmall      = "W0607" "stratum-too-small" Warning;
    PeriodsDoNotFit      = "E0621" "periods-do-not-fit" Error;
    ContradictorySample  = "E0622" "contradictory-sample" Error;
    NoValidation         = "E0901" "no-validation" Error;
    EvaluateOnTrain      = "E0902" "evaluate-on-train" Error;
    UnknownMetric        = "E0903" "unknown-metric" Error;
    HeadsDoNotDivide     = "E0904" "heads-do-not-divide" Error;
    TaskDoesNotFit       = "E0905" "task-does-not-fit" Error;
    UnknownDropReason    = "E0906" "unknown-drop-reason" Error;
    TestCountMismatch    = "E0907" "test-count-mismatch" Error;
    ExpectationDoesNotFit = "E0911" "expectation-does-not-fit" Error;
    NothingToTest        = "E0912" "nothing-to-test" Error;
    FewerNegatives       = "W0913" "fewer-negatives" Warning;
    UnknownLabelValue    = "E1001" "unknown-label-value" Error;
    DuplicateLabelValue  = "E1002" "duplicate-label-value" Error;
    BadLabelFile         = "E1003" "bad-label-file" Error;
    BadLabelSchema       = "E1004" "bad-label-schema" Error;
    ContradictoryConstraints = "E1005" "contradictory-constraints" Error;
    DuplicateKey         = "E1006" "duplicate-key" Error;
}
