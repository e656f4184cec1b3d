//! Plans as bytes. Every scan of ours says which release made it before it says anything else, so that a process of
//! another release knows that it must not guess.

use std::sync::{Arc, OnceLock};

use ballista_core::serde::BallistaPhysicalExtensionCodec;
use datafusion::common::Result;
use datafusion::execution::TaskContext;
use datafusion::physical_plan::ExecutionPlan;
use datafusion_proto::physical_plan::{PhysicalExtensionCodec, PhysicalProtoConverterExtension};

use super::error::Told;
use crate::engine::read::scan::ChunkScan;
use crate::{pii, plan};

/// Begins the bytes of a scan of ours; no other node of a plan begins so.
const MARK: &[u8] = b"annotc scan\0";

/// The version of this process, with a digest of the functions and detectors that it has, each in its version: what two
/// processes must share to come to the same result.
pub fn release() -> &'static str {
    static RELEASE: OnceLock<String> = OnceLock::new();
    RELEASE.get_or_init(|| {
        let mut names: Vec<String> = plan::registry().iter().map(|udf| udf.name().to_owned()).collect();
        names.extend(plan::functions::all().iter().map(|one| format!("{} {}", one.name, one.version)));
        names.extend(pii::all().iter().map(|one| format!("{} {}", one.name, one.version)));
        let digest = blake3::hash(names.join("\n").as_bytes()).to_hex();
        format!("{} (functions {})", env!("CARGO_PKG_VERSION"), &digest[..8])
    })
}

/// Plans of one release, as the process `who` reads and writes them.
#[derive(Debug)]
pub struct Codec {
    who: String,
    release: String,
    /// What wraps our plans on their way: the writers of results.
    others: BallistaPhysicalExtensionCodec,
}

impl Codec {
    /// The codec of a process that calls itself `who` in errors, "the scheduler", and has this [`release`].
    pub fn new(who: &str, release: &str) -> Self {
        Self { who: who.to_owned(), release: release.to_owned(), others: BallistaPhysicalExtensionCodec::default() }
    }

    fn decode_scan(&self, bytes: &[u8]) -> Result<ChunkScan> {
        let end = bytes.iter().position(|&byte| byte == 0).unwrap_or(bytes.len());
        let (release, scan) = (String::from_utf8_lossy(&bytes[..end]), bytes.get(end + 1..).unwrap_or_default());
        if release != self.release {
            let (who, own) = (&self.who, &self.release);
            return Err(Told::error(format_args!(
                "{who} is annotc {own}, the build annotc {release}: they must be the same"
            )));
        }
        ChunkScan::decode(scan)
    }
}

impl PhysicalExtensionCodec for Codec {
    fn try_decode(
        &self,
        bytes: &[u8],
        inputs: &[Arc<dyn ExecutionPlan>],
        context: &TaskContext,
        converter: &dyn PhysicalProtoConverterExtension,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        match bytes.strip_prefix(MARK) {
            Some(scan) => Ok(Arc::new(self.decode_scan(scan)?)),
            None => self.others.try_decode(bytes, inputs, context, converter),
        }
    }

    fn try_encode(
        &self,
        node: Arc<dyn ExecutionPlan>,
        bytes: &mut Vec<u8>,
        converter: &dyn PhysicalProtoConverterExtension,
    ) -> Result<()> {
        let Some(scan) = node.downcast_ref::<ChunkScan>() else {
            return self.others.try_encode(node, bytes, converter);
        };
        bytes.extend_from_slice(MARK);
        bytes.extend_from_slice(self.release.as_bytes());
        bytes.push(0);
        bytes.extend(scan.encode()?);
        Ok(())
    }
}
