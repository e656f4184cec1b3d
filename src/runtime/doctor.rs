//! What a machine needs for training, checked, each with a way out.

use std::path::Path;

use super::device::{Driver, Toolkit};
use super::fetch::check_sum;
use super::published::{Build, Variant};
use super::version::MINIMUM;
use super::{Device, Options, Outcome, Report, Runtime, find, locate, python};

/// How a check came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health {
    /// As it should be.
    Good,
    /// Works now, and something that may be needed is missing.
    Warning,
    /// Training and evaluation cannot work.
    Bad,
}

/// One thing that was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// What was checked.
    pub name: &'static str,
    /// How it came out.
    pub health: Health,
    /// What was found.
    pub found: String,
    /// What to do about it, where something is to be done.
    pub way_out: Option<String>,
}

impl Check {
    fn new(name: &'static str, health: Health, found: impl Into<String>, way_out: Option<&str>) -> Self {
        Self { name, health, found: found.into(), way_out: way_out.map(str::to_owned) }
    }
}

/// Checks the library, the means to fetch it, and the cache. Fetches nothing.
#[must_use]
pub fn doctor(options: &Options) -> Vec<Check> {
    let report = locate(options);
    let has_library = report.chosen.is_some();
    let mut checks = vec![check_library(&report)];
    checks.extend(check_sum_of_cached(&report));
    checks.push(check_platform(has_library));
    checks.push(check_client(options, has_library));
    checks.push(check_cache(&options.runtime_folder()));
    checks.extend(Driver::of_machine().map(|driver| check_cuda(driver, options)));
    checks
}

fn check_library(report: &Report) -> Check {
    const NAME: &str = "onnxruntime library";
    if let Some(found) = &report.chosen {
        let version = found.version.map_or_else(|| "version unknown".to_owned(), |version| version.to_string());
        let text = format!("{version}, {} ({})", found.path.display(), found.place.name());
        return Check::new(NAME, Health::Good, text, None);
    }
    let too_old = report.places.iter().find_map(|place| match &place.outcome {
        Outcome::TooOld { path, found } => Some(format!("only {found} ({}), older than {MINIMUM}", path.display())),
        Outcome::NotSet | Outcome::Absent | Outcome::WithoutCuda { .. } | Outcome::Usable(_) => None,
    });
    let health = if report.fetchable.is_some() { Health::Warning } else { Health::Bad };
    Check::new(
        NAME,
        health,
        too_old.unwrap_or_else(|| "none".to_owned()),
        Some("it is fetched when it is first needed; `annotc runtime install` fetches it now, `--ort-lib` names one"),
    )
}

fn check_sum_of_cached(report: &Report) -> Option<Check> {
    let cached = report.places.iter().find_map(|place| match &place.outcome {
        Outcome::Usable(found) if found.place == super::PlaceKind::Cache => Some(found),
        Outcome::Usable(_)
        | Outcome::NotSet
        | Outcome::Absent
        | Outcome::TooOld { .. }
        | Outcome::WithoutCuda { .. } => None,
    })?;
    let build = Build::of_machine(Variant::Cpu).ok()?;
    Some(match check_sum(&cached.path, build.dylib, build.dylib_sha256) {
        Ok(()) => Check::new("cached library", Health::Good, "its sum is the pinned one", None),
        Err(error) => Check::new(
            "cached library",
            Health::Bad,
            error.to_string(),
            Some("remove its folder; it is fetched again when it is needed"),
        ),
    })
}

fn check_platform(has_library: bool) -> Check {
    match Build::of_machine(Variant::Cpu) {
        Ok(build) => Check::new("published build", Health::Good, build.library().file_name(), None),
        Err(error) => {
            let health = if has_library { Health::Warning } else { Health::Bad };
            Check::new("published build", health, error.to_string(), Some("name a library with `--ort-lib`"))
        }
    }
}

fn check_client(options: &Options, has_library: bool) -> Check {
    const NAME: &str = "package client";
    let python = python::find(&options.python);
    let pip = python.as_ref().filter(|python| python::has_pip(&python.program));
    if let Some(python) = pip {
        return Check::new(NAME, Health::Good, format!("{} -m pip", python.program.display()), None);
    }
    if python::has_uv() {
        return Check::new(NAME, Health::Good, "uv", None);
    }
    let found = match python {
        Some(_) => "Python without pip, and no uv",
        None => "neither Python nor uv",
    };
    let health = if has_library { Health::Warning } else { Health::Bad };
    let way_out = "install Python 3 with pip (`apt install python3-pip`, `brew install python`) or uv";
    Check::new(NAME, health, found, Some(way_out))
}

/// Where there is a driver, a device may be meant to be used.
fn check_cuda(driver: Driver, options: &Options) -> Check {
    const NAME: &str = "CUDA";
    let install = Some("`annotc runtime install --cuda` fetches onnxruntime and what it needs");
    if Toolkit::of_driver(driver).is_none() {
        let found = format!("the driver is {driver}, too old for CUDA 12");
        return Check::new(NAME, Health::Warning, found, Some("install a newer driver"));
    }
    let found = match find(&options.clone().with_cuda()) {
        Ok(Some(found)) => found,
        Ok(None) => {
            return Check::new(NAME, Health::Warning, format!("driver {driver}, and no library for it"), install);
        }
        Err(error) => return Check::new(NAME, Health::Warning, error.to_string(), install),
    };
    let opened = Runtime::load(&found).and_then(|runtime| runtime.on(Device::Cuda));
    match opened {
        Ok(_) => Check::new(NAME, Health::Good, format!("driver {driver}, {}", found.path.display()), None),
        Err(error) => Check::new(NAME, Health::Warning, error.to_string(), install),
    }
}

fn check_cache(folder: &Path) -> Check {
    const NAME: &str = "cache folder";
    let written = std::fs::create_dir_all(folder).and_then(|()| tempfile::tempfile_in(folder));
    match written {
        Ok(_) => Check::new(NAME, Health::Good, folder.display().to_string(), None),
        Err(error) => Check::new(
            NAME,
            Health::Bad,
            format!("{}: {error}", folder.display()),
            Some("name a folder that can be written with `--cache` or `ANNOTC_CACHE`"),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_machine_is_told_what_to_do() {
        let root = tempfile::tempdir().expect("a folder");
        let file = root.path().join("file");
        std::fs::write(&file, b"").expect("a file");
        let options = Options { cache: file, python: vec![root.path().join("no-python")], ..Options::default() };
        let checks = doctor(&options);
        let bad: Vec<&Check> = checks.iter().filter(|check| check.health == Health::Bad).collect();
        assert!(bad.iter().any(|check| check.name == "cache folder"));
        for check in checks.iter().filter(|check| check.health != Health::Good) {
            assert!(check.way_out.is_some(), "{check:?}");
        }
    }
}
