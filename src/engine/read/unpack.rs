//! From the bytes of a file as it lies to the UTF-8 text of its records: unpacked, decoded, a list brought into lines.

mod gzip;

use std::fs::File;
use std::io::{self, Read, Seek};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use super::encoding::{Utf8, charset, utf16_unsaid};
use super::json_list::{ListLines, NoList};
use crate::engine::EngineError;
use crate::hir::{Compression, ReadOptions, SourceFormat};
use gzip::Members;

/// How the texts of a file are made from its bytes.
#[derive(Debug, Clone)]
pub struct Steps {
    compression: Compression,
    encoding: Option<&'static str>,
    /// The keys at which a list of JSON objects stands.
    list: Option<Vec<String>>,
}

impl Steps {
    /// The steps for a file of this name.
    pub fn of(name: &str, format: SourceFormat, options: &ReadOptions) -> Self {
        Self {
            compression: Compression::of_name(name),
            encoding: options.encoding,
            list: (format == SourceFormat::Json).then(|| options.at.clone()),
        }
    }

    /// The same for a file at whose beginning this stands: of a page of HTML whose source says no encoding, the page itself
    /// may say one.
    ///
    /// # Errors
    /// A file that cannot be read from its beginning again.
    pub fn heeding(self, format: SourceFormat, file: &mut File) -> io::Result<Self> {
        if format != SourceFormat::Html || self.encoding.is_some() {
            return Ok(self);
        }
        let mut begin = [0; charset::LOOKED_AT];
        // What cannot be unpacked is told when all of it is read.
        let read = self.text(&mut *file).and_then(|mut text| fill(&mut *text, &mut begin)).unwrap_or_default();
        file.rewind()?;
        Ok(Self { encoding: charset::declared(&begin[..read]), ..self })
    }

    /// Whether the text has an encoding that is not its source's.
    pub fn is_decoded(&self) -> bool {
        self.encoding.is_some()
    }

    /// Whether the text is the file's own bytes.
    pub fn is_none(&self) -> bool {
        self.compression == Compression::None && self.encoding.is_none() && self.list.is_none()
    }

    /// The text of these bytes.
    ///
    /// # Errors
    /// Where no decompressor can be set up.
    pub fn text<'r>(&self, input: impl Read + 'r) -> io::Result<Box<dyn Read + 'r>> {
        let mut text: Box<dyn Read + 'r> = match self.compression {
            Compression::None => Box::new(input),
            Compression::Gzip => Box::new(Members::new(input)),
            Compression::Zstd => Box::new(zstd::stream::read::Decoder::new(input)?),
        };
        if let Some(encoding) = self.encoding {
            text = Box::new(Utf8::new(text, encoding));
        }
        if let Some(path) = &self.list {
            text = Box::new(ListLines::new(text, path.clone()));
        }
        Ok(text)
    }

    /// What a failure of the text of a file means.
    pub fn failure(&self, path: &Path, error: &io::Error) -> EngineError {
        if self.is_none() {
            return EngineError::Read { path: path.to_owned(), error: io::Error::new(error.kind(), error.to_string()) };
        }
        let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<NoList>());
        let what = match inner {
            Some(NoList::Utf16) => return utf16_unsaid(path),
            Some(no_list @ (NoList::Empty | NoList::Absent)) => return self.misread(path, *no_list),
            Some(no_list @ (NoList::Open | NoList::Behind)) => no_list.to_string(),
            None => unpackable(self.compression, error),
        };
        EngineError::Damaged { path: path.to_owned(), what }
    }

    /// A text that has no list where its source looks for one.
    fn misread(&self, path: &Path, what: NoList) -> EngineError {
        let (what, help) = match (what, self.list.as_deref()) {
            (NoList::Empty, _) => ("is empty, and no list of JSON", "a list without elements is written `[]`"),
            (_, Some([]) | None) => (
                "is no list of JSON",
                "of a list in an object say at which keys it stands: `format json { at \"data\" }`; \
                 one object on each line is `format jsonl`",
            ),
            (_, Some(_)) => {
                ("has no list at the keys that `at` names", "name the keys that lead to it: `at \"data.rows\"`")
            }
        };
        EngineError::Misread { path: path.to_owned(), what: what.to_owned(), help }
    }
}

/// What is in the bytes of a file of this name: they themselves, where it is not compressed.
///
/// # Errors
/// Why they cannot be unpacked.
pub fn unpacked(name: &str, bytes: Vec<u8>) -> Result<Vec<u8>, String> {
    let compression = Compression::of_name(name);
    if compression == Compression::None {
        return Ok(bytes);
    }
    let steps = Steps { compression, encoding: None, list: None };
    let mut text = Vec::new();
    match steps.text(bytes.as_slice()).and_then(|mut packed| packed.read_to_end(&mut text)) {
        Ok(_) => Ok(text),
        Err(error) => Err(unpackable(compression, &error)),
    }
}

/// Why data cannot be unpacked.
fn unpackable(compression: Compression, error: &io::Error) -> String {
    match compression {
        Compression::Gzip => format!("its gzip data cannot be unpacked to the end: {error}"),
        Compression::Zstd => format!("its zstd data cannot be unpacked to the end: {error}"),
        Compression::None => error.to_string(),
    }
}

/// The bytes of a file, counted and hashed as they pass.
pub struct Passing<'r> {
    input: File,
    hasher: blake3::Hasher,
    bytes: u64,
    cancel: &'r AtomicBool,
    progress: &'r mut dyn FnMut(u64),
    /// Whether the file itself could not be read.
    failed: bool,
}

impl<'r> Passing<'r> {
    /// At the beginning of a file. `progress` is given the bytes of each read.
    pub fn new(input: File, cancel: &'r AtomicBool, progress: &'r mut dyn FnMut(u64)) -> Self {
        Self { input, hasher: blake3::Hasher::new(), bytes: 0, cancel, progress, failed: false }
    }

    /// Reads what is left of the file, and gives its BLAKE3 and its size.
    pub fn finish(&mut self) -> io::Result<(blake3::Hash, u64)> {
        io::copy(self, &mut io::sink())?;
        Ok((self.hasher.finalize(), self.bytes))
    }

    /// What a failure means that came up while the text of this file was read.
    pub fn failure(&self, steps: &Steps, path: &Path, error: io::Error) -> EngineError {
        if self.cancel.load(Ordering::Relaxed) {
            EngineError::Interrupted
        } else if self.failed {
            EngineError::Read { path: path.to_owned(), error }
        } else {
            steps.failure(path, &error)
        }
    }
}

impl Read for Passing<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.cancel.load(Ordering::Relaxed) {
            return Err(io::Error::other("interrupted"));
        }
        let read = self.input.read(buffer).inspect_err(|error| {
            self.failed = error.kind() != io::ErrorKind::Interrupted;
        })?;
        self.hasher.update(&buffer[..read]);
        self.bytes += read as u64;
        (self.progress)(read as u64);
        Ok(read)
    }
}

/// Reads until the buffer is full or the input ends, so that a short read changes nothing.
pub fn fill(input: &mut dyn Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match input.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}
