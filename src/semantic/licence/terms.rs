//! What the common licences of data, code and models allow and ask for: the one table.
//!
//! A row says what a purpose of a data set needs to know, in the words of the licence's own text. It is no legal advice,
//! and a licence without a row is not guessed at.

/// What a licence allows and asks for.
#[derive(Debug)]
pub(in crate::semantic) struct Licence {
    /// Its SPDX identifier.
    pub(in crate::semantic) id: &'static str,
    /// Whether it may be used to earn money.
    pub(in crate::semantic) commercial: bool,
    /// Whether what it covers may be changed.
    pub(in crate::semantic) changes: Changes,
    /// Whether who passes it on must keep a credit, a notice or its text with it.
    pub(in crate::semantic) attribution: bool,
    /// The terms under which what is made of it may be passed on: several bits of [`families`]; all of them where it asks
    /// for none of its own.
    pub(in crate::semantic) onward: u32,
    /// What it asks of who passes it on.
    pub(in crate::semantic) duty: &'static str,
}

impl Licence {
    /// What it asks of who passes it on, where it asks for anything.
    pub(in crate::semantic) fn asks(&self) -> Option<&'static str> {
        self.attribution.then_some(self.duty)
    }
}

/// Whether what a licence covers may be changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::semantic) enum Changes {
    /// And what was changed may be passed on.
    Free,
    /// But what was changed may not be passed on.
    Unshared,
    /// Not at all.
    Never,
}

/// The row of an identifier; an exception after `WITH` and a `+` are the caller's to take off.
pub(in crate::semantic) fn lookup(id: &str) -> Option<&'static Licence> {
    LICENCES.iter().find(|licence| licence.id.eq_ignore_ascii_case(id))
}

/// Every row of the table.
pub(in crate::semantic) fn all() -> impl Iterator<Item = &'static Licence> {
    LICENCES.iter()
}

/// Every identifier of the table.
pub(in crate::semantic) fn ids() -> impl Iterator<Item = &'static str> {
    LICENCES.iter().map(|licence| licence.id)
}

/// Terms that a whole can be under, one bit each.
mod families {
    pub(super) const BY_SA_1: u32 = 1;
    pub(super) const BY_SA_2: u32 = 1 << 1;
    pub(super) const BY_SA_2_5: u32 = 1 << 2;
    pub(super) const BY_SA_3: u32 = 1 << 3;
    pub(super) const BY_SA_4: u32 = 1 << 4;
    pub(super) const BY_NC_SA_1: u32 = 1 << 5;
    pub(super) const BY_NC_SA_2: u32 = 1 << 6;
    pub(super) const BY_NC_SA_2_5: u32 = 1 << 7;
    pub(super) const BY_NC_SA_3: u32 = 1 << 8;
    pub(super) const BY_NC_SA_4: u32 = 1 << 9;
    pub(super) const ODBL: u32 = 1 << 10;
    pub(super) const CDLA_SHARING: u32 = 1 << 11;
    pub(super) const C_UDA: u32 = 1 << 12;
    pub(super) const GPL_2: u32 = 1 << 13;
    pub(super) const GPL_3: u32 = 1 << 14;
    pub(super) const AGPL_3: u32 = 1 << 15;
    pub(super) const LGPL_3: u32 = 1 << 16;
    pub(super) const MPL_2: u32 = 1 << 17;
    pub(super) const EUPL: u32 = 1 << 18;
    pub(super) const GFDL: u32 = 1 << 19;
}
use families::*;

/// No terms of its own.
const ANY: u32 = u32::MAX;

// Since 2.0 what is made of a ShareAlike work may be under a later version too; a work under 4.0 may become one under the
// GPL, version 3, which the earlier versions reach through 4.0. A GPL 3 work may be combined with one under the AGPL 3.
const FROM_SA_4: u32 = BY_SA_4 | GPL_3 | AGPL_3;
const FROM_SA_3: u32 = BY_SA_3 | FROM_SA_4;
const FROM_SA_2_5: u32 = BY_SA_2_5 | FROM_SA_3;
const FROM_SA_2: u32 = BY_SA_2 | FROM_SA_2_5;
const FROM_NC_SA_3: u32 = BY_NC_SA_3 | BY_NC_SA_4;
const FROM_NC_SA_2_5: u32 = BY_NC_SA_2_5 | FROM_NC_SA_3;
const FROM_NC_SA_2: u32 = BY_NC_SA_2 | FROM_NC_SA_2_5;
const FROM_GPL_3: u32 = GPL_3 | AGPL_3;
const FROM_LGPL_3: u32 = LGPL_3 | FROM_GPL_3;
/// The licence itself and its "secondary licences".
const FROM_MPL: u32 = MPL_2 | GPL_2 | FROM_LGPL_3;
/// The licence itself and those of its appendix.
const FROM_EUPL: u32 = EUPL | BY_SA_3 | FROM_MPL;

const CREDIT: &str = "name the author and the licence with a link to it, and say what was changed";
const NOTICE: &str = "the copyright notice and the text of the licence go along";
const COPYLEFT: &str = "notices and the text of the licence go along, and the whole is passed on under it";
const NOTHING: &str = "asks for nothing";

const fn row(id: &'static str, duty: &'static str) -> Licence {
    Licence { id, commercial: true, changes: Changes::Free, attribution: true, onward: ANY, duty }
}

const fn free(id: &'static str) -> Licence {
    Licence { attribution: false, ..row(id, NOTHING) }
}

const fn share_alike(id: &'static str, onward: u32, duty: &'static str) -> Licence {
    Licence { onward, ..row(id, duty) }
}

const fn by(id: &'static str) -> Licence {
    row(id, CREDIT)
}

const fn by_sa(id: &'static str, onward: u32) -> Licence {
    share_alike(
        id,
        onward,
        "name the author, the licence and what was changed, and pass it on under this licence or a later one",
    )
}

const fn by_nc(id: &'static str) -> Licence {
    Licence { commercial: false, ..by(id) }
}

const fn by_nc_sa(id: &'static str, onward: u32) -> Licence {
    Licence { commercial: false, ..by_sa(id, onward) }
}

const fn by_nd(id: &'static str, changes: Changes) -> Licence {
    Licence { changes, ..row(id, "name the author and the licence with a link to it, and pass it on unchanged") }
}

const fn by_nc_nd(id: &'static str, changes: Changes) -> Licence {
    Licence { commercial: false, ..by_nd(id, changes) }
}

/// The table. NoDerivatives licences before 4.0 give no right to change a work; 4.0 gives one to change it and none to
/// pass the changed one on.
static LICENCES: [Licence; 66] = [
    by("CC-BY-1.0"),
    by("CC-BY-2.0"),
    by("CC-BY-2.5"),
    by("CC-BY-3.0"),
    by("CC-BY-4.0"),
    Licence {
        duty: "name the author, the licence and what was changed, and pass it on under this licence",
        ..by_sa("CC-BY-SA-1.0", BY_SA_1)
    },
    by_sa("CC-BY-SA-2.0", FROM_SA_2),
    by_sa("CC-BY-SA-2.5", FROM_SA_2_5),
    by_sa("CC-BY-SA-3.0", FROM_SA_3),
    by_sa("CC-BY-SA-4.0", FROM_SA_4),
    by_nc("CC-BY-NC-1.0"),
    by_nc("CC-BY-NC-2.0"),
    by_nc("CC-BY-NC-2.5"),
    by_nc("CC-BY-NC-3.0"),
    by_nc("CC-BY-NC-4.0"),
    Licence {
        duty: "name the author, the licence and what was changed, and pass it on under this licence",
        ..by_nc_sa("CC-BY-NC-SA-1.0", BY_NC_SA_1)
    },
    by_nc_sa("CC-BY-NC-SA-2.0", FROM_NC_SA_2),
    by_nc_sa("CC-BY-NC-SA-2.5", FROM_NC_SA_2_5),
    by_nc_sa("CC-BY-NC-SA-3.0", FROM_NC_SA_3),
    by_nc_sa("CC-BY-NC-SA-4.0", BY_NC_SA_4),
    by_nd("CC-BY-ND-1.0", Changes::Never),
    by_nd("CC-BY-ND-2.0", Changes::Never),
    by_nd("CC-BY-ND-2.5", Changes::Never),
    by_nd("CC-BY-ND-3.0", Changes::Never),
    by_nd("CC-BY-ND-4.0", Changes::Unshared),
    by_nc_nd("CC-BY-NC-ND-1.0", Changes::Never),
    by_nc_nd("CC-BY-NC-ND-2.0", Changes::Never),
    by_nc_nd("CC-BY-NC-ND-2.5", Changes::Never),
    by_nc_nd("CC-BY-NC-ND-3.0", Changes::Never),
    by_nc_nd("CC-BY-NC-ND-4.0", Changes::Unshared),
    free("CC0-1.0"),
    free("CC-PDDC"),
    free("PDDL-1.0"),
    row("ODC-By-1.0", "say that it contains information from this database, and that it is under this licence"),
    share_alike(
        "ODbL-1.0",
        ODBL,
        "say that it contains information from this database, and pass a derived database on under this licence",
    ),
    row("CDLA-Permissive-1.0", "the agreement and all credits that came with the data go along"),
    row("CDLA-Permissive-2.0", "the text of the agreement goes along"),
    share_alike(
        "CDLA-Sharing-1.0",
        CDLA_SHARING,
        "the agreement and all credits that came with the data go along, and data is passed on under it",
    ),
    share_alike(
        "C-UDA-1.0",
        C_UDA,
        "for computational use alone: all credits that came with the data go along, and who gets it is bound to the agreement",
    ),
    row("Apache-2.0", "the licence, its notices and the NOTICE file go along, and changed files say so"),
    row("MIT", NOTICE),
    row("BSD-2-Clause", NOTICE),
    row("BSD-3-Clause", NOTICE),
    row("ISC", NOTICE),
    row("BSL-1.0", NOTICE),
    free("Unlicense"),
    free("WTFPL"),
    row("AFL-3.0", "notices of copyright, patents and credits go along, and it says that the work was changed"),
    row("ECL-2.0", "the licence, its notices and the NOTICE file go along, and changed files say so"),
    row("Artistic-2.0", "notices go along, and a changed version says how it differs"),
    share_alike("GPL-2.0-only", GPL_2, COPYLEFT),
    share_alike("GPL-2.0-or-later", GPL_2 | FROM_GPL_3, COPYLEFT),
    share_alike("GPL-3.0-only", FROM_GPL_3, COPYLEFT),
    share_alike("GPL-3.0-or-later", FROM_GPL_3, COPYLEFT),
    share_alike("LGPL-3.0-only", FROM_LGPL_3, COPYLEFT),
    share_alike("LGPL-3.0-or-later", FROM_LGPL_3, COPYLEFT),
    share_alike("AGPL-3.0-only", AGPL_3, COPYLEFT),
    share_alike("AGPL-3.0-or-later", AGPL_3, COPYLEFT),
    share_alike("MPL-2.0", FROM_MPL, "notices go along, and changed files are passed on under this licence"),
    share_alike(
        "EUPL-1.2",
        FROM_EUPL,
        "notices go along, and the whole is passed on under this licence or one of its appendix",
    ),
    share_alike("GFDL-1.3-or-later", GFDL, COPYLEFT),
    row("OGL-UK-3.0", "the credit that the provider asks for goes along, with a link to the licence where possible"),
    row("etalab-2.0", "name the source and the date of its last update"),
    row("DL-DE-BY-2.0", "name the provider, the licence with a link to it and the data set, and say what was changed"),
    free("DL-DE-ZERO-2.0"),
    row("NLOD-2.0", "name the licensor and the licence with a link to it, and say what was changed"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_agree_with_their_names() {
        for (at, licence) in LICENCES.iter().enumerate() {
            let (id, parts) = (licence.id, licence.id.split('-').collect::<Vec<_>>());
            assert!(LICENCES[..at].iter().all(|other| !other.id.eq_ignore_ascii_case(id)), "{id} stands twice");
            if parts[0] == "CC" && parts[1] == "BY" {
                let (nd, sa) = (parts.contains(&"ND"), parts.contains(&"SA"));
                assert_eq!(licence.commercial, !parts.contains(&"NC"), "{id}");
                assert_eq!(licence.changes == Changes::Free, !nd, "{id}");
                assert_eq!(licence.changes == Changes::Unshared, nd && id.ends_with("4.0"), "{id}");
                assert_eq!(licence.onward != ANY, sa, "{id}");
                assert!(licence.attribution, "{id}");
            } else {
                assert!(licence.commercial && licence.changes == Changes::Free, "{id}");
            }
            assert_eq!(licence.attribution, licence.duty != NOTHING, "{id}");
        }
    }

    /// Pairs that are known to be compatible, and pairs that are known not to be.
    #[test]
    fn share_alike_licences_join_as_they_say() {
        let cases = [
            ("CC-BY-SA-3.0", "CC-BY-SA-4.0", true),
            ("CC-BY-SA-1.0", "CC-BY-SA-2.0", false),
            ("CC-BY-SA-4.0", "GPL-3.0-only", true),
            ("CC-BY-SA-4.0", "GPL-2.0-only", false),
            ("CC-BY-SA-4.0", "ODbL-1.0", false),
            ("CC-BY-SA-4.0", "CC-BY-NC-SA-4.0", false),
            ("CC-BY-SA-4.0", "CC-BY-4.0", true),
            ("GPL-2.0-only", "GPL-3.0-only", false),
            ("GPL-2.0-or-later", "GPL-3.0-only", true),
            ("GPL-3.0-only", "AGPL-3.0-only", true),
            ("LGPL-3.0-only", "GPL-2.0-only", false),
            ("MPL-2.0", "GPL-2.0-only", true),
            ("CDLA-Sharing-1.0", "ODbL-1.0", false),
        ];
        for (a, b, joins) in cases {
            let onward = |id| lookup(id).expect("has a row").onward;
            assert_eq!(onward(a) & onward(b) != 0, joins, "{a} and {b}");
        }
    }
}
