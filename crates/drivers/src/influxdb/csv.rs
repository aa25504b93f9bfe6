//! Annotated CSV: how InfluxDB 2 answers.
//!
//! Source: InfluxData's reference of the annotated CSV syntax, and what 2.7 answers. Tables stand one behind the other,
//! an empty line between them; each begins with its types (`#datatype`) and its columns. Quoting is that of RFC 4180. A
//! text that is empty cannot be told from one that is not there.

use super::row::{Row, Value};

/// Records of cells, and the beginning of one whose end has not come yet.
#[derive(Debug, Default)]
pub(super) struct Tables {
    begun: Vec<u8>,
    quoted: bool,
    types: Vec<String>,
    columns: Vec<String>,
}

impl Tables {
    /// Takes the next piece of an answer, and returns the rows that it completes, or what failed.
    pub(super) fn feed(&mut self, piece: &[u8]) -> Result<Vec<Row>, String> {
        let (mut rows, mut rest) = (Vec::new(), piece);
        while let Some(at) = memchr::memchr2(b'"', b'\n', rest) {
            self.begun.extend_from_slice(&rest[..=at]);
            if rest[at] == b'"' {
                // Two quotes that stand for one open and close again.
                self.quoted = !self.quoted;
            } else if !self.quoted {
                let record = std::mem::take(&mut self.begun);
                rows.extend(self.record(&record)?);
            }
            rest = &rest[at + 1..];
        }
        self.begun.extend_from_slice(rest);
        Ok(rows)
    }

    /// The row of what was still without an end.
    pub(super) fn end(mut self) -> Result<Option<Row>, String> {
        let record = std::mem::take(&mut self.begun);
        if self.quoted { Err("a text has no end".into()) } else { self.record(&record) }
    }

    fn record(&mut self, record: &[u8]) -> Result<Option<Row>, String> {
        let text = std::str::from_utf8(record).map_err(|error| error.to_string())?;
        let text = text.strip_suffix('\n').unwrap_or(text);
        let text = text.strip_suffix('\r').unwrap_or(text);
        if text.is_empty() {
            return Ok(None);
        }
        let cells = cells(text);
        if cells[0] == "#datatype" {
            (self.types, self.columns) = (cells, Vec::new());
        } else if self.types.is_empty() {
            return Err(format!("{text:.100} is no annotated CSV"));
        } else if self.columns.is_empty() {
            self.columns = cells;
        } else {
            return self.row(cells).map(Some);
        }
        Ok(None)
    }

    fn row(&self, cells: Vec<String>) -> Result<Row, String> {
        let mut row = Row::default();
        for ((column, kind), cell) in self.columns.iter().zip(&self.types).zip(cells) {
            if column == "error" {
                return Err(cell);
            }
            match kind.as_str() {
                "string" => row.set(column, Value::Text(cell)),
                "long" => {
                    if let Ok(number) = cell.parse() {
                        row.set(column, Value::Integer(number));
                    }
                }
                "boolean" => row.set(column, Value::Boolean(cell == "true")),
                _ => {}
            }
        }
        Ok(row)
    }
}

/// The cells of a record.
fn cells(record: &str) -> Vec<String> {
    let (mut cells, mut cell, mut quoted) = (Vec::new(), String::new(), false);
    let mut characters = record.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '"' if quoted && characters.next_if_eq(&'"').is_some() => cell.push('"'),
            '"' => quoted = !quoted,
            ',' if !quoted => cells.push(std::mem::take(&mut cell)),
            other => cell.push(other),
        }
    }
    cells.push(cell);
    cells
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str, cut: usize) -> Result<Vec<Row>, String> {
        let mut tables = Tables::default();
        let mut rows = Vec::new();
        for piece in text.as_bytes().chunks(cut) {
            rows.extend(tables.feed(piece)?);
        }
        rows.extend(tables.end()?);
        Ok(rows)
    }

    #[test]
    fn what_2_7_answers_is_read() {
        let answer = "#datatype,string,long,string,long,long,boolean\r\n,result,table,base_id,nanos,end_us,stop\r\n\
                      ,_result,0,b,7,5,true\r\n,_result,0,\"a,\n\"\"x\"\"\",-8,,false\r\n\r\n";
        let rows = read(answer, 7).unwrap();
        assert_eq!(rows.len(), 2);
        assert_eq!((rows[0].time, rows[0].stop), (Some(7), Some(true)));
        assert_eq!(rows[1].base_id, Some("a,\n\"x\"".into()));
        assert_eq!((rows[1].time, rows[1].end), (Some(-8), None));
        assert_eq!(read("\r\n", 1), Ok(Vec::new()));
    }

    #[test]
    fn an_error_in_an_answer_is_one() {
        let answer = "#datatype,string,string\n,error,reference\n,it broke,897\n";
        assert_eq!(read(answer, 100).unwrap_err(), "it broke");
        assert!(read("<html>", 100).unwrap_err().contains("<html>"));
        assert!(read("#datatype,\"string", 100).is_err());
    }

    proptest! {
        #[test]
        fn any_text_comes_back(texts in prop::collection::vec(".*|[\",\r\n]*", 1..5), cut in 1_usize..9) {
            let mut answer = "#datatype,string,long,string\r\n,result,table,text\r\n".to_owned();
            for text in &texts {
                answer += &format!(",_result,0,\"{}\"\r\n", text.replace('"', "\"\""));
            }
            let rows = read(&answer, cut).unwrap();
            let read: Vec<_> = rows.into_iter().map(|row| row.text.unwrap()).collect();
            prop_assert_eq!(read, texts);
        }

        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>) {
            let mut tables = Tables::default();
            let begun = tables.feed(b"#datatype,string\n,text\n");
            prop_assert_eq!(begun, Ok(Vec::new()));
            let _outcomes = (tables.feed(&bytes), tables.end());
        }
    }
}
