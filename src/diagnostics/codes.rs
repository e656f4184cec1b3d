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
}
