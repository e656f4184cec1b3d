//! Running a graph in tests, on the stock library that `ORT_DYLIB_PATH` names.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{Mutex, OnceLock},
};

use ort::{environment::Environment, session::Session, value::DynValue};

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

/// The library, if this machine has one for tests; without it the tests that need it say so and pass, unless
/// `ANNOTC_REQUIRE_SHARED` is set.
pub fn available() -> bool {
    let found = library().is_some();
    if !found {
        assert!(std::env::var_os("ANNOTC_REQUIRE_SHARED").is_none(), "ORT_DYLIB_PATH names no library");
        eprintln!("skipped: ORT_DYLIB_PATH names no library");
    }
    found
}

fn library() -> Option<PathBuf> {
    let path = PathBuf::from(std::env::var_os("ORT_DYLIB_PATH")?);
    path.exists().then_some(path)
}

/// Opens a session over the bytes of a model, on one thread.
pub fn test_session(model: &[u8]) -> TestSession {
    static ENVIRONMENT: OnceLock<Environment> = OnceLock::new();
    let environment = ENVIRONMENT.get_or_init(|| {
        let path = library().expect("checked by `available`");
        ort::init_from(path).expect("the library loads").build().expect("the environment starts")
    });
    let builder = Session::builder(environment).expect("a builder").with_intra_threads(1).expect("threads");
    let mut builder = builder.with_memory_pattern(false).expect("memory pattern");
    TestSession(Mutex::new(builder.commit_from_memory(model).unwrap_or_else(|error| panic!("{error}"))))
}

impl TestSession {
    /// Runs with the given inputs and returns every output.
    pub fn run(&self, inputs: &BTreeMap<String, Values>) -> BTreeMap<String, Values> {
        let mut session = self.0.lock().expect("no test panics inside a run");
        let feeds: Vec<(String, DynValue)> =
            inputs.iter().map(|(name, values)| (name.clone(), tensor(values))).collect();
        let outputs = session.run(feeds).unwrap_or_else(|error| panic!("{error}"));
        outputs.iter().map(|(name, value)| (name.to_owned(), extract(&value))).collect()
    }
}

fn tensor(values: &Values) -> DynValue {
    let dims = |shape: &[usize]| shape.iter().map(|&size| size as i64).collect::<Vec<_>>();
    let empty = |shape: &[usize]| shape.contains(&0);
    let allocator = ort::memory::Allocator::default();
    match values {
        Values::Float(shape, _) if empty(shape) => {
            ort::value::Tensor::<f32>::new(&allocator, dims(shape)).expect("a tensor").into_dyn()
        }
        Values::Float(shape, values) => {
            ort::value::Tensor::from_array((dims(shape), values.clone())).expect("a tensor").into_dyn()
        }
        Values::Int(shape, values) => {
            ort::value::Tensor::from_array((dims(shape), values.clone())).expect("a tensor").into_dyn()
        }
    }
}

fn extract(value: &ort::value::ValueRef<'_>) -> Values {
    let shape = |shape: &ort::value::Shape| shape.iter().map(|&size| size as usize).collect();
    match value.try_extract_tensor::<f32>() {
        Ok((dims, values)) => Values::Float(shape(dims), values.to_vec()),
        Err(_) => {
            let (dims, values) = value.try_extract_tensor::<i64>().expect("floats or integers");
            Values::Int(shape(dims), values.to_vec())
        }
    }
}
