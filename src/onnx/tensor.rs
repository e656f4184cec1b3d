//! Tensors: an element type, a shape and little-endian bytes that may still lie in the file's memory map.

use bytes::Bytes;

use super::proto::tensor_proto::DataType;

/// The element types that a stored tensor can have; the widths are those of ONNX's `raw_data`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ElementType {
    /// 32-bit float
    Float,
    /// 64-bit float
    Double,
    /// IEEE 16-bit float
    Float16,
    /// bfloat16
    Bfloat16,
    /// 8-bit unsigned
    Uint8,
    /// 8-bit signed
    Int8,
    /// 16-bit unsigned
    Uint16,
    /// 16-bit signed
    Int16,
    /// 32-bit unsigned
    Uint32,
    /// 32-bit signed
    Int32,
    /// 64-bit unsigned
    Uint64,
    /// 64-bit signed
    Int64,
    /// one byte, 0 or 1
    Bool,
    /// 4-bit signed, two in a byte, the first one in its lower half; written by us and read from no model
    Int4,
}

impl ElementType {
    /// The type with ONNX's number, if the crate can carry it.
    pub fn from_onnx(number: i32) -> Option<Self> {
        Some(match DataType::try_from(number).ok()? {
            DataType::Float => Self::Float,
            DataType::Double => Self::Double,
            DataType::Float16 => Self::Float16,
            DataType::Bfloat16 => Self::Bfloat16,
            DataType::Uint8 => Self::Uint8,
            DataType::Int8 => Self::Int8,
            DataType::Uint16 => Self::Uint16,
            DataType::Int16 => Self::Int16,
            DataType::Uint32 => Self::Uint32,
            DataType::Int32 => Self::Int32,
            DataType::Uint64 => Self::Uint64,
            DataType::Int64 => Self::Int64,
            DataType::Bool => Self::Bool,
            _ => return None,
        })
    }

    /// ONNX's number of the type.
    pub fn onnx(self) -> i32 {
        let number = match self {
            Self::Float => DataType::Float,
            Self::Double => DataType::Double,
            Self::Float16 => DataType::Float16,
            Self::Bfloat16 => DataType::Bfloat16,
            Self::Uint8 => DataType::Uint8,
            Self::Int8 => DataType::Int8,
            Self::Uint16 => DataType::Uint16,
            Self::Int16 => DataType::Int16,
            Self::Uint32 => DataType::Uint32,
            Self::Int32 => DataType::Int32,
            Self::Uint64 => DataType::Uint64,
            Self::Int64 => DataType::Int64,
            Self::Bool => DataType::Bool,
            Self::Int4 => DataType::Int4,
        };
        number as i32
    }

    /// Bytes of so many elements behind each other; `None` where no number is large enough.
    pub fn bytes(self, elements: usize) -> Option<usize> {
        match self {
            Self::Int4 => Some(elements.div_ceil(2)),
            wider => elements.checked_mul(wider.width()),
        }
    }

    /// Bytes in which an element lies, not always alone.
    fn width(self) -> usize {
        match self {
            Self::Uint8 | Self::Int8 | Self::Bool | Self::Int4 => 1,
            Self::Float16 | Self::Bfloat16 | Self::Uint16 | Self::Int16 => 2,
            Self::Float | Self::Uint32 | Self::Int32 => 4,
            Self::Double | Self::Uint64 | Self::Int64 => 8,
        }
    }

    /// Whether a gradient can flow through values of the type.
    pub fn is_float(self) -> bool {
        matches!(self, Self::Float | Self::Double | Self::Float16 | Self::Bfloat16)
    }
}

/// A dense tensor, row-major. Cloning is cheap: the bytes are shared.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor {
    element: ElementType,
    shape: Vec<usize>,
    data: Bytes,
}

impl Tensor {
    /// A tensor over little-endian bytes; `None` when their number is not that of the shape.
    pub fn new(element: ElementType, shape: Vec<usize>, data: Bytes) -> Option<Self> {
        let elements = shape.iter().try_fold(1_usize, |product, &dim| product.checked_mul(dim))?;
        (element.bytes(elements)? == data.len()).then_some(Self { element, shape, data })
    }

    /// A 32-bit float tensor. The number of values must be that of the shape.
    pub fn from_f32(shape: &[usize], values: &[f32]) -> Self {
        let data: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        Self::new(ElementType::Float, shape.to_vec(), data.into()).expect("as many values as the shape has elements")
    }

    /// A 64-bit integer tensor. The number of values must be that of the shape.
    pub fn from_i64(shape: &[usize], values: &[i64]) -> Self {
        let data: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        Self::new(ElementType::Int64, shape.to_vec(), data.into()).expect("as many values as the shape has elements")
    }

    /// A 32-bit float scalar.
    pub fn scalar_f32(value: f32) -> Self {
        Self::from_f32(&[], &[value])
    }

    /// The element type.
    pub fn element(&self) -> ElementType {
        self.element
    }

    /// The dimensions.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The number of elements.
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// Whether the tensor has no element.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The little-endian bytes, row-major; not necessarily aligned.
    pub fn data(&self) -> &Bytes {
        &self.data
    }

    /// Whether all elements are equal. Of those that share a byte it is not said.
    pub fn is_uniform(&self) -> bool {
        if self.element == ElementType::Int4 {
            return false;
        }
        let mut elements = self.data.chunks_exact(self.element.width());
        elements.next().is_none_or(|first| elements.all(|element| element == first))
    }

    /// The values of a 32-bit float tensor.
    pub fn to_f32(&self) -> Option<Vec<f32>> {
        (self.element == ElementType::Float)
            .then(|| self.data.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect())
    }

    /// The values of a 64- or 32-bit signed integer tensor.
    pub fn to_i64(&self) -> Option<Vec<i64>> {
        match self.element {
            ElementType::Int64 => {
                Some(self.data.as_chunks().0.iter().map(|bytes| i64::from_le_bytes(*bytes)).collect())
            }
            ElementType::Int32 => {
                Some(self.data.as_chunks().0.iter().map(|bytes| i32::from_le_bytes(*bytes).into()).collect())
            }
            _ => None,
        }
    }

    /// The transposed matrix; `None` unless the tensor has rank 2 and its elements have bytes of their own.
    pub fn transposed(&self) -> Option<Self> {
        let &[rows, columns] = self.shape.as_slice() else { return None };
        if self.element == ElementType::Int4 {
            return None;
        }
        let width = self.element.width();
        let mut data = vec![0; self.data.len()];
        for row in 0..rows {
            for column in 0..columns {
                let from = (row * columns + column) * width;
                let to = (column * rows + row) * width;
                data[to..to + width].copy_from_slice(&self.data[from..from + width]);
            }
        }
        Some(Self { element: self.element, shape: vec![columns, rows], data: data.into() })
    }
}
