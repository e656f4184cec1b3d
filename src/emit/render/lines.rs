//! `jsonl`: the id and the typed columns, each row with the same keys and no nulls.

use super::column::write_text;
use super::row::Rows;

/// Writes one row.
pub(crate) fn write(identity: &str, rows: &Rows<'_>, row: usize, out: &mut Vec<u8>) -> Result<(), String> {
    for (at, (name, column)) in rows.columns().enumerate() {
        let name = if at == 0 { identity } else { name };
        out.push(if at == 0 { b'{' } else { b',' });
        write_text(out, name);
        out.push(b':');
        column.write_json(row, out).map_err(|refusal| refusal.message(name))?;
    }
    out.push(b'}');
    Ok(())
}
