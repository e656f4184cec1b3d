//! Running a model: named tensors in, named tensors out, in plain Rust types.

use std::borrow::Cow;

use ort::ep::CUDA;
use ort::session::builder::{BuilderResult, SessionBuilder};
use ort::session::{RunOptions, SessionInputValue, SessionOutputs};
use ort::value::{DynValue, Outlet, Shape, TensorElementType, TensorRef, ValueType};

use super::{Device, Runtime, RuntimeError, operators};

/// The element types that models of ours take and give.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Element {
    /// 32-bit floating point.
    F32,
    /// 64-bit signed integers.
    I64,
    /// Any other, by the runtime's code; refused where a tensor of it would be needed.
    Other,
}

/// A named input or output of a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Port {
    /// Its name in the graph.
    pub name: String,
    /// Its element type.
    pub element: Element,
    /// Its dimensions; `None` is dynamic.
    pub shape: Vec<Option<usize>>,
}

/// Values of an input, row-major.
#[derive(Debug, Clone)]
pub enum InputValues<'a> {
    /// 32-bit floating point.
    F32(Cow<'a, [f32]>),
    /// 64-bit signed integers.
    I64(Cow<'a, [i64]>),
}

/// An input of a run.
#[derive(Debug, Clone)]
pub struct InputTensor<'a> {
    /// The graph's name for it.
    pub name: Cow<'a, str>,
    /// Its dimensions; their product is the number of values. A dimension may be 0.
    pub shape: Vec<usize>,
    /// Its values.
    pub values: InputValues<'a>,
}

impl<'a> InputTensor<'a> {
    /// A tensor of integers.
    pub fn i64(name: impl Into<Cow<'a, str>>, shape: &[usize], values: impl Into<Cow<'a, [i64]>>) -> Self {
        Self { name: name.into(), shape: shape.to_vec(), values: InputValues::I64(values.into()) }
    }

    /// A tensor of floating-point numbers.
    pub fn f32(name: impl Into<Cow<'a, str>>, shape: &[usize], values: impl Into<Cow<'a, [f32]>>) -> Self {
        Self { name: name.into(), shape: shape.to_vec(), values: InputValues::F32(values.into()) }
    }

    pub(super) fn value(&self) -> Result<SessionInputValue<'_>, RuntimeError> {
        let shape = self.shape.as_slice();
        match &self.values {
            InputValues::F32(values) => TensorRef::from_array_view((shape, values.as_ref())).map(Into::into),
            InputValues::I64(values) => TensorRef::from_array_view((shape, values.as_ref())).map(Into::into),
        }
        .map_err(run_error)
    }
}

/// Values of an output, row-major.
#[derive(Debug, Clone, PartialEq)]
pub enum OutputValues {
    /// 32-bit floating point.
    F32(Vec<f32>),
    /// 64-bit signed integers.
    I64(Vec<i64>),
}

/// An output of a run, copied out of the runtime.
#[derive(Debug, Clone, PartialEq)]
pub struct OutputTensor {
    /// Its name in the graph.
    pub name: String,
    /// Its dimensions.
    pub shape: Vec<usize>,
    /// Its values.
    pub values: OutputValues,
}

impl OutputTensor {
    /// The floating-point values.
    ///
    /// # Errors
    /// [`RuntimeError::Tensor`] where the output holds integers.
    pub fn f32(&self) -> Result<&[f32], RuntimeError> {
        match &self.values {
            OutputValues::F32(values) => Ok(values),
            OutputValues::I64(_) => Err(RuntimeError::Tensor {
                name: self.name.clone(),
                found: "a tensor of int64".to_owned(),
                expected: "float32".to_owned(),
            }),
        }
    }
}

/// A model ready to run.
#[derive(Debug)]
pub struct Session {
    pub(super) session: ort::session::Session,
    inputs: Vec<Port>,
    outputs: Vec<Port>,
}

impl Session {
    /// A session over an encoded model, computing with `threads` threads.
    ///
    /// The runtime's memory pattern is off: it plans for the largest batch seen and nearly doubles the memory.
    ///
    /// # Errors
    /// [`RuntimeError::Model`] where the runtime refuses the model.
    pub fn from_bytes(runtime: &Runtime, model: &[u8], threads: usize) -> Result<Self, RuntimeError> {
        let session = builder(runtime, threads)?.commit_from_memory(model).map_err(model_error)?;
        Ok(Self::of(session))
    }

    /// A session over a model's file; tensors in files beside it are found.
    ///
    /// # Errors
    /// [`RuntimeError::Model`] where the runtime refuses the model, [`RuntimeError::Io`] where the file is not there.
    pub fn from_file(runtime: &Runtime, path: &std::path::Path, threads: usize) -> Result<Self, RuntimeError> {
        std::fs::metadata(path).map_err(RuntimeError::io(path))?;
        let session = builder(runtime, threads)?.commit_from_file(path).map_err(model_error)?;
        Ok(Self::of(session))
    }

    fn of(session: ort::session::Session) -> Self {
        Self {
            inputs: session.inputs().iter().map(port).collect(),
            outputs: session.outputs().iter().map(port).collect(),
            session,
        }
    }

    /// The model's inputs, in order.
    #[must_use]
    pub fn inputs(&self) -> &[Port] {
        &self.inputs
    }

    /// The model's outputs, in order.
    #[must_use]
    pub fn outputs(&self) -> &[Port] {
        &self.outputs
    }

    /// Runs the model and copies the named outputs out, in the order asked for.
    ///
    /// # Errors
    /// [`RuntimeError::Run`] where the runtime fails, [`RuntimeError::Tensor`] where an output is neither `f32` nor
    /// `i64`.
    pub fn run(&mut self, inputs: &[InputTensor<'_>], outputs: &[&str]) -> Result<Vec<OutputTensor>, RuntimeError> {
        self.run_and(inputs, outputs, |results| {
            outputs.iter().map(|name| copy_out(name, output(results, name)?)).collect()
        })
    }

    /// Runs the model and gives `read` the named output where the runtime has it: its dimensions and its values,
    /// row-major. Logits of a whole vocabulary are too large to be copied.
    ///
    /// # Errors
    /// [`RuntimeError::Run`] where the runtime fails, [`RuntimeError::Tensor`] where the output is not `f32`.
    pub fn run_reading<T>(
        &mut self,
        inputs: &[InputTensor<'_>],
        name: &str,
        read: impl FnOnce(&[usize], &[f32]) -> T,
    ) -> Result<T, RuntimeError> {
        self.run_and(inputs, &[name], |results| {
            let value = output(results, name)?;
            let (shape, values) = value.try_extract_tensor::<f32>().map_err(|_| RuntimeError::Tensor {
                name: name.to_owned(),
                found: value.dtype().to_string(),
                expected: "a tensor of float32".to_owned(),
            })?;
            Ok(read(&sizes(shape), values))
        })
    }

    fn run_and<T>(
        &mut self,
        inputs: &[InputTensor<'_>],
        outputs: &[&str],
        then: impl FnOnce(&SessionOutputs<'_>) -> Result<T, RuntimeError>,
    ) -> Result<T, RuntimeError> {
        let named = inputs
            .iter()
            .map(|input| Ok((Cow::Borrowed(input.name.as_ref()), input.value()?)))
            .collect::<Result<Vec<(Cow<'_, str>, SessionInputValue<'_>)>, RuntimeError>>()?;
        let mut selector = ort::session::OutputSelector::no_default();
        for name in outputs {
            selector = selector.with(*name);
        }
        let options = RunOptions::new().map_err(run_error)?.with_outputs(selector);
        let results = self.session.run_with_options(named, &options).map_err(run_error)?;
        then(&results)
    }
}

pub(super) fn output<'r>(results: &'r SessionOutputs<'_>, name: &str) -> Result<&'r DynValue, RuntimeError> {
    results.get(name).ok_or_else(|| RuntimeError::Run(format!("the model has no output `{name}`")))
}

/// Threads that spin while they wait would burn the processor time that the data loader needs.
fn builder(runtime: &Runtime, threads: usize) -> Result<SessionBuilder, RuntimeError> {
    let accepted = |setting: BuilderResult| setting.map_err(|error| RuntimeError::Model(error.to_string()));
    let builder = ort::session::Session::builder(&runtime.environment).map_err(model_error)?;
    let builder = accepted(builder.with_intra_threads(threads.max(1)))?;
    let builder = accepted(builder.with_inter_threads(1))?;
    let builder = accepted(builder.with_memory_pattern(false))?;
    let builder = accepted(builder.with_deterministic_compute(true))?;
    let builder = accepted(builder.with_intra_op_spinning(false))?;
    match runtime.device {
        Device::Cpu => accepted(builder.with_operators(operators::domain(threads.max(1)).map_err(model_error)?)),
        Device::Cuda => {
            accepted(builder.with_execution_providers([CUDA::default().with_device_id(0).build().error_on_failure()]))
        }
    }
}

/// A model of one `Identity` from `x` to `y`, a number each: the smallest that a session can be made of.
const SMALLEST: &[u8] = b"\x08\x08\x42\x02\x10\x0d\x3a\x37\
    \x0a\x10\x0a\x01x\x12\x01y\x22\x08Identity\
    \x12\x01p\
    \x5a\x0f\x0a\x01x\x12\x0a\x0a\x08\x08\x01\x12\x04\x0a\x02\x08\x01\
    \x62\x0f\x0a\x01y\x12\x0a\x0a\x08\x08\x01\x12\x04\x0a\x02\x08\x01";

/// Whether the device that a runtime is meant for takes a session and computes in it: a provider may be there and its device not.
///
/// # Errors
/// [`RuntimeError::Model`] or [`RuntimeError::Run`] with what the library said.
pub(super) fn probe(runtime: &Runtime) -> Result<(), RuntimeError> {
    let mut session = Session::from_bytes(runtime, SMALLEST, 1)?;
    session.run(&[InputTensor::f32("x", &[1], vec![1.0])], &["y"]).map(drop)
}

pub(super) fn model_error(error: ort::Error) -> RuntimeError {
    let said = error.to_string();
    newer_opset(&said).unwrap_or(RuntimeError::Model(said))
}

/// A model of operators that this library does not know yet; the library says it beside its own function's signature.
fn newer_opset(said: &str) -> Option<RuntimeError> {
    let after = |word: &str| said.split_once(word).map(|(_, rest)| rest);
    let number = |text: &str| text.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok();
    let opset = after(" Opset ").and_then(number)?;
    let (domain, known) = after("support for domain ")?.split_once(" is till opset ")?;
    Some(RuntimeError::NewerOpset { opset, domain: domain.to_owned(), known: number(known)? })
}

pub(super) fn run_error(error: ort::Error) -> RuntimeError {
    RuntimeError::Run(error.to_string())
}

fn port(outlet: &Outlet) -> Port {
    let (element, shape) = match outlet.dtype() {
        ValueType::Tensor { ty, shape, .. } => {
            let element = match ty {
                TensorElementType::Float32 => Element::F32,
                TensorElementType::Int64 => Element::I64,
                _ => Element::Other,
            };
            let shape = shape.iter().map(|dim| usize::try_from(*dim).ok()).collect();
            (element, shape)
        }
        _ => (Element::Other, Vec::new()),
    };
    Port { name: outlet.name().to_owned(), element, shape }
}

pub(super) fn copy_out(name: &str, value: &DynValue) -> Result<OutputTensor, RuntimeError> {
    let (shape, values) = if let Ok((shape, values)) = value.try_extract_tensor::<f32>() {
        (sizes(shape), OutputValues::F32(values.to_vec()))
    } else if let Ok((shape, values)) = value.try_extract_tensor::<i64>() {
        (sizes(shape), OutputValues::I64(values.to_vec()))
    } else {
        return Err(RuntimeError::Tensor {
            name: name.to_owned(),
            found: value.dtype().to_string(),
            expected: "a tensor of float32 or int64".to_owned(),
        });
    };
    Ok(OutputTensor { name: name.to_owned(), shape, values })
}

fn sizes(shape: &Shape) -> Vec<usize> {
    shape.iter().map(|dim| usize::try_from(*dim).expect("a computed tensor has no negative dimension")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::testing::library;

    #[test]
    fn a_model_of_newer_operators_is_refused_with_both_opsets() {
        let Some(runtime) = library() else { return };
        let mut model = SMALLEST.to_vec();
        assert_eq!(model[5], 13, "the opset");
        model[5] = 99;
        let error = Session::from_bytes(runtime, &model, 1).expect_err("refused");
        assert!(matches!(&error, RuntimeError::NewerOpset { opset: 99, .. }), "{error}");
        let message = error.to_string();
        assert!(message.contains("opset 99 of `ai.onnx`") && !message.contains("onnxruntime_src"), "{message}");
        assert!(newer_opset("Opset is wrong").is_none() && newer_opset("").is_none());
    }

    #[test]
    fn a_device_is_probed_before_it_is_used() {
        let Some(runtime) = library() else { return };
        probe(runtime).expect("the processor computes");
        let message = runtime.on(Device::Cuda).err().map(|error| error.to_string());
        if crate::runtime::Driver::of_machine().is_none() {
            assert!(message.is_some_and(|message| message.contains("CUDA")), "there is no device here");
        }
    }
}
