//! What runs made of a record.

use std::path::Path;

use serde::Serialize;

use super::Life;
use crate::emit::error::EmitError;
use crate::emit::file::file_name;
use crate::emit::manifest::Manifest;
use crate::emit::runs::{PredictionLine, RunFiles, prediction};

/// A use of a record by a run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RunUse {
    /// The run.
    pub run: String,
    /// `trained`, `validated` or `evaluated`.
    pub kind: &'static str,
    /// The evaluation, `helpdesk.test`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub evaluation: Option<String>,
    /// The true value and what was predicted, where predictions of single records are kept.
    #[serde(flatten)]
    pub prediction: Option<PredictionLine>,
}

/// Adds the runs that were trained on, or evaluated over, the data set as it is.
pub(super) fn add_uses(out: &Path, manifest: &Manifest, lives: &mut [Life]) -> Result<(), EmitError> {
    if lives.is_empty() {
        return Ok(());
    }
    for run in RunFiles::all(out)? {
        let folder = out.join(file_name(&run.name));
        for life in lives.iter_mut() {
            let of_part = match life.split.as_deref() {
                Some("train") => Some("trained"),
                Some("validation") => Some("validated"),
                _ => None,
            };
            let plain = |kind| RunUse { run: run.name.clone(), kind, evaluation: None, prediction: None };
            life.runs.extend(of_part.filter(|_| run.is_of(&manifest.fingerprint)).map(plain));
            for (name, figures) in &run.evaluations {
                if figures["signature"]["data"] != manifest.fingerprint.as_str() {
                    continue;
                }
                let prediction = prediction(&folder, name, &life.id)?;
                let part = figures["signature"]["split"].as_str();
                // A record that the part lost is among its predictions, as one without any.
                if prediction.is_some() || life.split.is_some() && life.split.as_deref() == part {
                    let evaluation = Some(name.clone());
                    life.runs.push(RunUse { run: run.name.clone(), kind: "evaluated", evaluation, prediction });
                }
            }
        }
    }
    Ok(())
}
