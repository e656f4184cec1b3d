//! Running a graph in tests, on the stock library that the runtime room finds.

use std::collections::BTreeMap;
use std::sync::Mutex;

use crate::runtime::testing::library;
use crate::runtime::{self, InputTensor, InputValues, OutputValues, Session};

/// An input's or output's values.
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    /// 32-bit floats of a shape.
    Float(Vec<usize>, Vec<f32>),
    /// 64-bit integers of a shape.
    Int(Vec<usize>, Vec<i64>),
}

impl Values {
    /// The values of floats.
    pub fn floats(&self) -> &[f32] {
        match self {
            Self::Float(_, values) => values,
            Self::Int(..) => panic!("expected floats"),
        }
    }

    /// The shape.
    pub fn shape(&self) -> &[usize] {
        match self {
            Self::Float(shape, _) | Self::Int(shape, _) => shape,
        }
    }
}

/// A session over the bytes of a model.
pub struct TestSession(Mutex<Session>);

/// Whether this machine has the library; without it the tests that need it pass with a word.
pub fn available() -> bool {
    library().is_some()
}

/// Opens a session over the bytes of a model, on one thread.
pub fn test_session(model: &[u8]) -> TestSession {
    let library = library().expect("checked by `available`");
    TestSession(Mutex::new(Session::from_bytes(library, model, 1).unwrap_or_else(|error| panic!("{error}"))))
}

impl TestSession {
    /// Runs with the given inputs and returns every output.
    pub fn run(&self, inputs: &BTreeMap<String, Values>) -> BTreeMap<String, Values> {
        let mut session = self.0.lock().expect("no test panics inside a run");
        let feeds: Vec<InputTensor<'_>> = inputs.iter().map(|(name, values)| tensor(name, values)).collect();
        let names: Vec<String> = session.outputs().iter().map(|port| port.name.clone()).collect();
        let wanted: Vec<&str> = names.iter().map(String::as_str).collect();
        let outputs = session.run(&feeds, &wanted).unwrap_or_else(|error| panic!("{error}"));
        let values = |output: runtime::OutputTensor| match output.values {
            OutputValues::F32(values) => Values::Float(output.shape, values),
            OutputValues::I64(values) => Values::Int(output.shape, values),
        };
        outputs.into_iter().map(|output| (output.name.clone(), values(output))).collect()
    }
}

fn tensor<'a>(name: &'a str, values: &'a Values) -> InputTensor<'a> {
    let (shape, values) = match values {
        Values::Float(shape, values) => (shape, InputValues::F32(values.as_slice().into())),
        Values::Int(shape, values) => (shape, InputValues::I64(values.as_slice().into())),
    };
    InputTensor { name: name.into(), shape: shape.clone(), values }
}
