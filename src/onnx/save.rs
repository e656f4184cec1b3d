//! Writing a model, whole or not at all.

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
};

use prost::Message;

use super::{Graph, encode, proto};

/// Protobuf messages end at 2 GiB; above this many bytes of weights they go to a file beside the model.
const INSIDE: usize = 1 << 30;

/// Why a model could not be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write `{}`: {source}", path.display())]
pub struct SaveError {
    /// What was to be written.
    pub path: PathBuf,
    /// Why.
    pub source: io::Error,
}

/// Writes the graph to `path`; weights above 1 GiB go to `<path>_data`. A file appears complete under its name or not at
/// all: it is written beside, flushed to the disk and renamed.
pub fn save(graph: &Graph, path: &Path) -> Result<(), SaveError> {
    save_above(graph, path, INSIDE)
}

/// `save` with another limit in bytes for the weights that stay in the model's own file.
fn save_above(graph: &Graph, path: &Path, inside: usize) -> Result<(), SaveError> {
    let failed = |source| SaveError { path: path.to_owned(), source };
    let mut model = encode::model(graph);
    let weights: usize = graph.initializers.values().map(|tensor| tensor.data().len()).sum();
    if weights > inside {
        let mut data = path.as_os_str().to_owned();
        data.push("_data");
        let data = PathBuf::from(data);
        let location = data.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        write_atomically(&data, |file| move_weights(&mut model, &location, file)).map_err(failed)?;
    }
    write_atomically(path, |file| file.write_all(&model.encode_to_vec())).map_err(failed)
}

/// Moves the initializers' bytes to `file`, each at a multiple of 64 bytes so that a map of it is aligned.
fn move_weights(model: &mut proto::ModelProto, location: &str, file: &mut dyn Write) -> io::Result<()> {
    let mut offset = 0_usize;
    for tensor in model.graph.iter_mut().flat_map(|graph| &mut graph.initializer) {
        let Some(raw) = tensor.raw_data.take() else { continue };
        let aligned = offset.next_multiple_of(64);
        file.write_all(&[0; 64][..aligned - offset])?;
        file.write_all(&raw)?;
        offset = aligned + raw.len();
        let entry =
            |key: &str, value: String| proto::StringStringEntryProto { key: Some(key.to_owned()), value: Some(value) };
        tensor.data_location = Some(proto::tensor_proto::DataLocation::External as i32);
        tensor.external_data = vec![
            entry("location", location.to_owned()),
            entry("offset", aligned.to_string()),
            entry("length", raw.len().to_string()),
        ];
    }
    Ok(())
}

fn write_atomically(path: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    builder.prefix(".annotc-");
    // A temporary file is for its owner's eyes; a model is a file like any other.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut file = builder.tempfile_in(folder)?;
    let mut buffered = io::BufWriter::new(file.as_file_mut());
    write(&mut buffered)?;
    buffered.flush()?;
    drop(buffered);
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::onnx::{Attribute, Axis, ElementType, LoadError, Node, Op, Tensor, ValueInfo, decode, encode, load};

    fn small() -> Graph {
        let mut graph = Graph::new("small", 18);
        graph.inputs.push(ValueInfo::new("x", ElementType::Float, &[Axis::named("batch"), Axis::Free, Axis::Fixed(3)]));
        graph.outputs.push(ValueInfo::new("y", ElementType::Float, &[Axis::Free]));
        graph.initializers.insert("w".to_owned(), Tensor::from_f32(&[3], &[1.0, -2.0, 0.5]));
        graph.initializers.insert("axes".to_owned(), Tensor::from_i64(&[1], &[-1]));
        let sum = Node::new("sum", Op::ReduceSum, &["p", "axes"], &["y"]).with("keepdims", Attribute::Int(0));
        graph.nodes = vec![Node::new("", Op::Mul, &["x", "w"], &["p"]), sum];
        graph
    }

    #[test]
    fn a_saved_graph_loads_as_it_was_with_its_weights_inside_or_beside() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.onnx");
        for inside in [INSIDE, 0] {
            save_above(&small(), &path, inside).unwrap();
            assert_eq!(load(folder.path()).unwrap(), small());
        }
        assert!(folder.path().join("model.onnx_data").exists());
        std::fs::write(folder.path().join("model.onnx_data"), [0; 3]).unwrap();
        assert!(matches!(load(&path), Err(LoadError::External { found: 3, .. })));
    }

    #[test]
    fn a_location_outside_the_folder_is_refused() {
        for location in ["/etc/passwd", "../weights", "a/../../b", "", "..\\b"] {
            let mut model = encode::model(&small());
            move_weights(&mut model, location, &mut Vec::new()).unwrap();
            let error = decode(model.encode_to_vec().into(), Path::new("/nonexistent")).unwrap_err();
            assert!(matches!(&error, LoadError::Location { location: found, .. } if found == location), "{error}");
        }
    }

    #[test]
    fn damaged_files_are_errors_and_never_panics() {
        let whole = encode(&small());
        for end in 0..whole.len() {
            assert!(decode(whole[..end].to_vec().into(), Path::new("")).is_err(), "cut at {end}");
        }
        // A flipped bit may leave a valid model; whatever it leaves must not end the process.
        for at in 0..whole.len() * 8 {
            let mut damaged = whole.clone();
            damaged[at / 8] ^= 1 << (at % 8);
            let _ = decode(damaged.into(), Path::new("")).map(|graph| crate::onnx::shapes::Shapes::of(&graph));
        }
    }

    #[test]
    fn newer_older_and_fused_models_are_refused_by_name() {
        let load = |change: fn(&mut proto::ModelProto)| {
            let mut model = encode::model(&small());
            change(&mut model);
            decode(model.encode_to_vec().into(), Path::new("")).unwrap_err()
        };
        assert!(matches!(load(|model| model.ir_version = Some(99)), LoadError::TooNew { found: 99 }));
        let old = load(|model| model.opset_import[0].version = Some(11));
        assert!(matches!(old, LoadError::OldOpset { found: 11 }));
        let fused = load(|model| {
            let node = &mut model.graph.as_mut().unwrap().node[1];
            (node.domain, node.op_type) = (Some("com.microsoft".to_owned()), Some("Attention".to_owned()));
        });
        assert!(fused.to_string().contains("`sum` is the fused operator `com.microsoft:Attention`"), "{fused}");
    }
}
