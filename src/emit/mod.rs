//! Writers: data files, manifest, audit, quarantine, data card, lockfile.
