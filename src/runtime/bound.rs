//! A training session: parameters and gradients live in buffers that are bound once.
//!
//! The runtime reads each parameter where the optimizer wrote it and writes each gradient where the optimizer reads
//! it; nothing but the batch and the loss is copied in a step.

use ort::memory::Allocator;
use ort::session::IoBinding;
use ort::value::{DynTensor, Tensor};

use super::session::{copy_out, output, run_error};
use super::{InputTensor, InputValues, OutputTensor, Runtime, RuntimeError, Session};

/// A trainable tensor as the session is told of it.
#[derive(Debug, Clone)]
pub struct Parameter {
    /// The graph's input for it.
    pub name: String,
    /// Its dimensions.
    pub shape: Vec<usize>,
    /// Its first values, row-major.
    pub values: Vec<f32>,
    /// Where the graph gives the loss's gradient by it.
    pub gradient: GradientOutput,
}

/// The outputs that hold a gradient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GradientOutput {
    /// One of the parameter's shape.
    Whole(String),
    /// Rows of a table, `[n, columns]` in `rows`, to be added up at `places`, `[n, 1]` in 64-bit integers.
    Rows {
        /// Which rows; negative ones are counted from the table's end.
        places: String,
        /// What is added to each.
        rows: String,
    },
}

struct Slot {
    input: String,
    value: Tensor<f32>,
    gradient: GradientSlot,
}

enum GradientSlot {
    Whole(Tensor<f32>),
    Rows { places: String, rows: String },
}

/// Takes the rows of a parameter's gradient: the parameter's index, the places and the rows.
pub type TakeRows<'t> = dyn FnMut(usize, &[i64], &[f32]) + 't;

/// A model whose trainable tensors are inputs and whose gradients are outputs.
pub struct BoundSession {
    session: Session,
    binding: IoBinding,
    slots: Vec<Slot>,
    scalars: Vec<String>,
    memory: Allocator,
}

impl BoundSession {
    /// Binds every parameter, and its gradient where that is whole; `scalars` are the small outputs that a step returns, such as the loss.
    ///
    /// # Errors
    /// [`RuntimeError::Model`] where the runtime refuses the model, [`RuntimeError::Run`] where a name or a shape is
    /// not the graph's.
    pub fn new(
        runtime: &Runtime,
        model: &[u8],
        threads: usize,
        parameters: Vec<Parameter>,
        scalars: &[&str],
    ) -> Result<Self, RuntimeError> {
        let session = Session::from_bytes(runtime, model, threads)?;
        let mut binding = session.session.create_binding().map_err(run_error)?;
        let allocator = Allocator::default();
        let mut slots = Vec::with_capacity(parameters.len());
        for parameter in parameters {
            let mut value = Tensor::<f32>::new(&allocator, parameter.shape.clone()).map_err(run_error)?;
            let (_, buffer) = value.extract_tensor_mut();
            if buffer.len() != parameter.values.len() {
                return Err(RuntimeError::Tensor {
                    name: parameter.name,
                    found: format!("{} values", parameter.values.len()),
                    expected: format!("{} (shape {:?})", buffer.len(), parameter.shape),
                });
            }
            buffer.copy_from_slice(&parameter.values);
            let gradient = match parameter.gradient {
                GradientOutput::Whole(output) => {
                    let mut gradient = Tensor::<f32>::new(&allocator, parameter.shape).map_err(run_error)?;
                    gradient.extract_tensor_mut().1.fill(0.0);
                    binding.bind_output(&output, &mut gradient).map_err(run_error)?;
                    GradientSlot::Whole(gradient)
                }
                GradientOutput::Rows { places, rows } => GradientSlot::Rows { places, rows },
            };
            slots.push(Slot { input: parameter.name, value, gradient });
        }
        let memory = allocator.memory_info();
        for scalar in scalars {
            binding.bind_output_to_device(*scalar, memory).map_err(run_error)?;
        }
        let scalars = scalars.iter().map(|name| (*name).to_owned()).collect();
        Ok(Self { session, binding, slots, scalars, memory: allocator })
    }

    /// The session's inputs, parameters among them.
    #[must_use]
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// One pass forward and backward over a batch; the buffers of whole gradients are overwritten, and `take_rows` gets those
    /// that are rows. Returns the scalars.
    ///
    /// # Errors
    /// [`RuntimeError::Run`] where the runtime fails, [`RuntimeError::Tensor`] where rows are of another type.
    pub fn run(
        &mut self,
        inputs: &[InputTensor<'_>],
        take_rows: &mut TakeRows<'_>,
    ) -> Result<Vec<OutputTensor>, RuntimeError> {
        for input in inputs {
            let value = owned(input)?;
            self.binding.bind_input(input.name.as_ref(), &value).map_err(run_error)?;
        }
        for slot in &self.slots {
            // Bound anew at each step, so that a provider with memory of its own sees what the optimizer wrote; on the
            // CPU this passes a pointer.
            self.binding.bind_input(slot.input.as_str(), &slot.value).map_err(run_error)?;
            if let GradientSlot::Rows { places, rows } = &slot.gradient {
                // Anew as well: a binding keeps what the last step gave, and this one has another number of rows.
                for output in [places, rows] {
                    self.binding.bind_output_to_device(output, self.memory.memory_info()).map_err(run_error)?;
                }
            }
        }
        let results = self.session.session.run_binding(&self.binding).map_err(run_error)?;
        for (index, slot) in self.slots.iter().enumerate() {
            if let GradientSlot::Rows { places, rows } = &slot.gradient {
                let (_, at) = output(&results, places)?.try_extract_tensor::<i64>().map_err(run_error)?;
                let (_, added) = output(&results, rows)?.try_extract_tensor::<f32>().map_err(run_error)?;
                take_rows(index, at, added);
            }
        }
        self.scalars.iter().map(|name| copy_out(name, output(&results, name)?)).collect()
    }

    /// Each parameter's values with its gradient, in the order of construction; a gradient that comes as rows is not here.
    pub fn parameters(&mut self) -> impl Iterator<Item = (&mut [f32], Option<&mut [f32]>)> {
        self.slots.iter_mut().map(|slot| {
            let gradient = match &mut slot.gradient {
                GradientSlot::Whole(gradient) => Some(gradient.extract_tensor_mut().1),
                GradientSlot::Rows { .. } => None,
            };
            (slot.value.extract_tensor_mut().1, gradient)
        })
    }

    /// Copies of the parameters' values, in the order of construction.
    #[must_use]
    pub fn values(&self) -> Vec<Vec<f32>> {
        self.slots.iter().map(|slot| slot.value.extract_tensor().1.to_vec()).collect()
    }
}

/// A bound input must own its values; a batch is small.
pub(super) fn owned(input: &InputTensor<'_>) -> Result<DynTensor, RuntimeError> {
    let shape = input.shape.clone();
    match &input.values {
        InputValues::F32(values) => Tensor::from_array((shape, values.to_vec())).map(Tensor::upcast),
        InputValues::I64(values) => Tensor::from_array((shape, values.to_vec())).map(Tensor::upcast),
    }
    .map_err(run_error)
}
