//! Tensors that stay where a session computes: what a step leaves is what the next one reads, and the host sees it when it asks.

use ort::memory::{AllocationDevice, Allocator, AllocatorType, MemoryInfo, MemoryType};
use ort::value::Tensor;

use super::bound::owned;
use super::session::{copy_out, run_error};
use super::{Device, InputTensor, OutputTensor, Runtime, RuntimeError, Session};

/// A tensor of one axis in the memory of a device.
#[derive(Debug)]
pub struct HeldTensor {
    tensor: Tensor<f32>,
    device: Device,
}

impl HeldTensor {
    /// A copy of its values.
    ///
    /// # Errors
    /// [`RuntimeError::Run`] where the device does not give them.
    pub fn values(&self) -> Result<Vec<f32>, RuntimeError> {
        match self.device {
            Device::Cpu => Ok(self.tensor.extract_tensor().1.to_vec()),
            Device::Cuda => {
                let copy = self.tensor.to(AllocationDevice::CPU, 0).map_err(run_error)?;
                Ok(copy.extract_tensor().1.to_vec())
            }
        }
    }
}

/// A session whose large inputs and outputs are held tensors.
#[derive(Debug)]
pub struct HeldSession {
    session: Session,
    allocator: Allocator,
    device: Device,
}

impl HeldSession {
    /// A session over an encoded model, computing where the runtime does.
    ///
    /// # Errors
    /// [`RuntimeError::Model`] where the runtime refuses the model.
    pub fn new(runtime: &Runtime, model: &[u8], threads: usize) -> Result<Self, RuntimeError> {
        let session = Session::from_bytes(runtime, model, threads)?;
        let device = runtime.device();
        let allocator = match device {
            Device::Cpu => Allocator::default(),
            Device::Cuda => {
                let memory = MemoryInfo::new(AllocationDevice::CUDA, 0, AllocatorType::Device, MemoryType::Default);
                Allocator::new(&session.session, memory.map_err(run_error)?).map_err(run_error)?
            }
        };
        Ok(Self { session, allocator, device })
    }

    /// Copies values to where the session computes.
    ///
    /// # Errors
    /// [`RuntimeError::Run`] where the device has no room for them.
    pub fn hold(&self, values: Vec<f32>) -> Result<HeldTensor, RuntimeError> {
        let length = values.len();
        let mut tensor = Tensor::<f32>::new(&self.allocator, [length]).map_err(run_error)?;
        match self.device {
            Device::Cpu => tensor.extract_tensor_mut().1.copy_from_slice(&values),
            Device::Cuda => {
                let host = Tensor::from_array(([length], values)).map_err(run_error)?;
                host.copy_into(&mut tensor).map_err(run_error)?;
            }
        }
        Ok(HeldTensor { tensor, device: self.device })
    }

    /// Runs the model. `fed` come from the host and `read` are held; `written` receive outputs of their size and are none of those that
    /// are read. Returns the `scalars`, small outputs, on the host.
    ///
    /// # Errors
    /// [`RuntimeError::Run`] where the runtime fails or a name or size is not the model's.
    pub fn run(
        &mut self,
        fed: &[InputTensor<'_>],
        read: &[(&str, &HeldTensor)],
        written: &mut [(&str, &mut HeldTensor)],
        scalars: &[&str],
    ) -> Result<Vec<OutputTensor>, RuntimeError> {
        let mut binding = self.session.session.create_binding().map_err(run_error)?;
        for input in fed {
            binding.bind_input(input.name.as_ref(), &owned(input)?).map_err(run_error)?;
        }
        for (name, held) in read {
            binding.bind_input(*name, &held.tensor).map_err(run_error)?;
        }
        for (name, held) in written {
            binding.bind_output(*name, &mut held.tensor).map_err(run_error)?;
        }
        let host = Allocator::default();
        for name in scalars {
            binding.bind_output_to_device(*name, host.memory_info()).map_err(run_error)?;
        }
        let results = self.session.session.run_binding(&binding).map_err(run_error)?;
        let missing = |name: &str| RuntimeError::Run(format!("the model has no output `{name}`"));
        scalars.iter().map(|name| copy_out(name, results.get(name).ok_or_else(|| missing(name))?)).collect()
    }
}
