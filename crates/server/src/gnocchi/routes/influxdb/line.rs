//! A line of InfluxDB's line protocol: `measurement,tag=value field=1,other=2i 1510581804179554816`.

use std::collections::BTreeMap;

/// What a line says. Of its fields only numbers count.
#[derive(Debug, PartialEq)]
pub(super) struct Line {
    pub(super) measurement: String,
    pub(super) tags: BTreeMap<String, String>,
    pub(super) fields: Vec<(String, f64)>,
    /// When, in nanoseconds since 1970.
    pub(super) nanos: Option<i64>,
}

impl Line {
    /// Reads a line; nothing, where it is none.
    pub(super) fn read(line: &str) -> Option<Self> {
        let mut rest = Rest(line.trim_end_matches('\r'));
        let measurement = rest.word(", ")?;
        let mut tags = BTreeMap::new();
        while rest.take(',') {
            let name = rest.word("=")?;
            rest.expect('=')?;
            tags.insert(name, rest.word(", ")?);
        }
        rest.expect(' ')?;
        let mut fields = Vec::new();
        loop {
            let name = rest.word("=")?;
            rest.expect('=')?;
            fields.extend(rest.value()?.map(|value| (name, value)));
            if !rest.take(',') {
                break;
            }
        }
        let nanos = if rest.take(' ') && !rest.0.is_empty() {
            let nanos = rest.0.trim_end().parse().ok().filter(|nanos| *nanos >= 0)?;
            rest.0 = "";
            Some(nanos)
        } else {
            None
        };
        rest.0.is_empty().then_some(Self { measurement, tags, fields, nanos })
    }
}

/// What is left to read.
struct Rest<'a>(&'a str);

impl Rest<'_> {
    fn take(&mut self, wanted: char) -> bool {
        let rest = self.0.strip_prefix(wanted);
        self.0 = rest.unwrap_or(self.0);
        rest.is_some()
    }

    fn expect(&mut self, wanted: char) -> Option<()> {
        self.take(wanted).then_some(())
    }

    /// A text that ends at one of these characters, unless a backslash is before it; or that is quoted.
    fn word(&mut self, ends: &str) -> Option<String> {
        if self.0.starts_with('"') {
            return self.quoted();
        }
        let mut word = String::new();
        let mut characters = self.0.char_indices().peekable();
        let mut end = self.0.len();
        while let Some((at, character)) = characters.next() {
            let escaped = characters.peek().map(|(_, next)| *next).filter(|next| " ,=\\".contains(*next));
            match (character, escaped) {
                ('\\', Some(escaped)) => {
                    word.push(escaped);
                    characters.next();
                }
                (character, _) if ends.contains(character) => {
                    end = at;
                    break;
                }
                (character, _) => word.push(character),
            }
        }
        self.0 = &self.0[end..];
        (!word.is_empty()).then_some(word)
    }

    fn quoted(&mut self) -> Option<String> {
        let mut word = String::new();
        let mut characters = self.0.char_indices().skip(1);
        while let Some((at, character)) = characters.next() {
            match character {
                '"' => {
                    self.0 = &self.0[at + 1..];
                    return Some(word);
                }
                '\\' => word.push(characters.next()?.1),
                character => word.push(character),
            }
        }
        None
    }

    /// The value of a field: a number, or nothing of text and truth values, which no metric holds.
    fn value(&mut self) -> Option<Option<f64>> {
        if self.0.starts_with('"') {
            return self.quoted().map(|_| None);
        }
        let end = self.0.find([',', ' ']).unwrap_or(self.0.len());
        let (text, rest) = self.0.split_at(end);
        self.0 = rest;
        if ["t", "f", "true", "false"].iter().any(|word| text.eq_ignore_ascii_case(word)) {
            return Some(None);
        }
        let digits = text.strip_suffix(['i', 'u']).unwrap_or(text);
        let looks_so = digits.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
        digits.parse().ok().filter(|_| looks_so).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lines_are_read_with_their_escapes() {
        let line = Line::read(r#"my\ cpu,a\,b=c\=d,e=f x=-1.5e3,y="a,b \" c",z=7i,w=t 12"#).unwrap();
        assert_eq!(line.measurement, "my cpu");
        let tags: Vec<_> = line.tags.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(tags, [("a,b", "c=d"), ("e", "f")]);
        assert_eq!(line.fields, [("x".to_owned(), -1500.0), ("z".to_owned(), 7.0)]);
        assert_eq!(line.nanos, Some(12));
        assert_eq!(Line::read("m x=1").unwrap().nanos, None);
    }

    #[test]
    fn what_is_no_line_is_refused() {
        for line in
            ["", "m", "m ", "m x", "m x=", "m x=a", "m x=1 soon", "m x=1 -5", "m,t x=1", "m x=1,", "m x=\"a"]
        {
            assert_eq!(Line::read(line), None, "{line}");
        }
    }

    proptest! {
        #[test]
        fn no_line_makes_it_panic(line in "[a\",= \\\\1ié]*") {
            Line::read(&line);
        }
    }
}
