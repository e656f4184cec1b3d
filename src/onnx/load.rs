//! Reading a model: the file is mapped into memory and its weights stay there.

use std::{
    collections::BTreeMap,
    fs::File,
    io,
    path::{Component, Path, PathBuf},
};

use bytes::Bytes;
use memmap2::Mmap;
use prost::Message;

use super::{Graph, convert, proto};

/// The newest intermediate-representation version that the bindings know; prost would silently drop newer fields.
const NEWEST_IR: i64 = proto::Version::IrVersion as i64;

/// Why a model could not be read.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file system refused.
    #[error("cannot read `{}`: {source}", path.display())]
    Read {
        /// What was opened.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A folder without a model.
    #[error("`{}` holds no `model.onnx`; export a model into it, for example with `optimum-cli export onnx`", folder.display())]
    NoModel {
        /// The folder.
        folder: PathBuf,
    },
    /// Not an ONNX model, or a damaged one.
    #[error("not a whole ONNX model: {reason}")]
    Malformed {
        /// What is wrong with it.
        reason: String,
    },
    /// Written by an exporter that is newer than the crate.
    #[error(
        "the model's ir_version is {found}, the newest that annotc knows is {NEWEST_IR}; export it with an older `onnx` package or opset"
    )]
    TooNew {
        /// The file's version.
        found: i64,
    },
    /// An operator set older than every rule.
    #[error("the model's opset is {found}, annotc reads 13 and later; export it again with `--opset 18`")]
    OldOpset {
        /// The file's version.
        found: i64,
    },
    /// External data that points out of the model's folder.
    #[error("tensor `{tensor}` lies in `{location}`; a location must be a relative path inside the model's folder")]
    Location {
        /// The tensor.
        tensor: String,
        /// The location that its entry names.
        location: String,
    },
    /// External data that is missing or too short.
    #[error("tensor `{tensor}` needs {needed} bytes of `{location}`, which holds {found}")]
    External {
        /// The tensor.
        tensor: String,
        /// The file, relative to the model.
        location: String,
        /// The end of the tensor in the file.
        needed: u64,
        /// The file's size.
        found: u64,
    },
    /// An element type that the crate cannot carry.
    #[error("`{value}` has element type {number}, which annotc cannot carry")]
    ElementType {
        /// The tensor, input or output.
        value: String,
        /// ONNX's number of the type.
        number: i32,
    },
    /// A graph whose operators an optimizer has merged for inference.
    #[error(
        "node `{node}` is the fused operator `{operator}`: the graph was optimized for inference; export it again \
         without `--optimize` (plain `optimum-cli export onnx --model … folder`), not with the genai builder"
    )]
    Fused {
        /// The node.
        node: String,
        /// The operator.
        operator: String,
    },
    /// A graph whose weights are 8-bit integers.
    #[error(
        "node `{node}` is the quantized operator `{operator}`: annotc trains 32-bit floats; take the model as it was before \
         it was quantized, or export it again (`optimum-cli export onnx --dtype fp32 --model … folder`)"
    )]
    Quantized {
        /// The node.
        node: String,
        /// The operator.
        operator: String,
    },
    /// An operator of a set that neither the standard nor the runtime has.
    #[error(
        "node `{node}` is `{operator}`, of an operator set that onnxruntime does not have; export the model again with \
         standard operators (`optimum-cli export onnx --model … folder`)"
    )]
    Foreign {
        /// The node.
        node: String,
        /// The operator.
        operator: String,
    },
}

/// The model in a folder (`model.onnx` there) or in a file. Weights are not copied: they stay in the memory map.
pub fn load(path: &Path) -> Result<Graph, LoadError> {
    let file = if path.is_dir() { path.join("model.onnx") } else { path.to_owned() };
    if path.is_dir() && !file.exists() {
        return Err(LoadError::NoModel { folder: path.to_owned() });
    }
    let folder = file.parent().map(Path::to_owned).unwrap_or_default();
    decode(map(&file)?, &folder)
}

/// The model in `bytes`; external data is looked up in `folder`.
pub fn decode(bytes: Bytes, folder: &Path) -> Result<Graph, LoadError> {
    let model = proto::ModelProto::decode(bytes).map_err(|error| LoadError::Malformed { reason: error.to_string() })?;
    let ir = model.ir_version.unwrap_or(0);
    if ir > NEWEST_IR {
        return Err(LoadError::TooNew { found: ir });
    }
    if ir < 3 || model.graph.is_none() {
        return Err(LoadError::Malformed { reason: "it has no ir_version or no graph".to_owned() });
    }
    convert::graph(model, &mut External { folder, maps: BTreeMap::new() })
}

/// The files beside the model that hold large tensors, each mapped once.
pub(super) struct External<'a> {
    folder: &'a Path,
    maps: BTreeMap<String, Bytes>,
}

impl External<'_> {
    /// `length` bytes (to the file's end when absent) from `offset` of the file at `location`.
    pub(super) fn slice(
        &mut self,
        tensor: &str,
        location: &str,
        offset: u64,
        length: Option<u64>,
    ) -> Result<Bytes, LoadError> {
        let path = Path::new(location);
        let inside = path.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
        if location.is_empty() || !inside || location.contains('\\') {
            return Err(LoadError::Location { tensor: tensor.to_owned(), location: location.to_owned() });
        }
        if !self.maps.contains_key(location) {
            self.maps.insert(location.to_owned(), map(&self.folder.join(path))?);
        }
        let whole = &self.maps[location];
        let found = whole.len() as u64;
        let end = length.map_or(Some(found.max(offset)), |length| offset.checked_add(length));
        match end {
            Some(end) if end <= found => Ok(whole.slice(offset as usize..end as usize)),
            end => Err(LoadError::External {
                tensor: tensor.to_owned(),
                location: location.to_owned(),
                needed: end.unwrap_or(u64::MAX),
                found,
            }),
        }
    }
}

/// The whole file as bytes that its map keeps alive.
fn map(path: &Path) -> Result<Bytes, LoadError> {
    let failed = |source| LoadError::Read { path: path.to_owned(), source };
    let file = File::open(path).map_err(failed)?;
    if file.metadata().map_err(failed)?.len() == 0 {
        return Ok(Bytes::new());
    }
    // SAFETY: the map is only read. Another process that truncates the file while it is mapped could end this one; the
    // alternative, copying every weight, doubles the memory of a large model.
    #[allow(unsafe_code)]
    let map = unsafe { Mmap::map(&file) }.map_err(failed)?;
    Ok(Bytes::from_owner(map))
}
