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
    let failed = |source| SaveError { path: path.to_owned(), source };
    let mut model = encode::model(graph);
    let weights: usize = graph.initializers.values().map(|tensor| tensor.data().len()).sum();
    if weights > INSIDE {
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
    let mut file = tempfile::Builder::new().prefix(".annotc-").tempfile_in(folder)?;
    let mut buffered = io::BufWriter::new(file.as_file_mut());
    write(&mut buffered)?;
    buffered.flush()?;
    drop(buffered);
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}
