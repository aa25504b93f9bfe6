//! The items of an array.

use super::{InvalidJson, Scanner};

/// The items of an array, in order; nothing when the text is no array.
pub fn items(array: &str) -> Items<'_> {
    let mut scanner = Scanner::new(array);
    let open = scanner.eat(b'[');
    Items { text: array, scanner, open, first: true }
}

/// The iterator of [`items`]. What is no array any more is its last item: behind broken JSON nothing can be found.
#[derive(Debug)]
pub struct Items<'a> {
    text: &'a str,
    scanner: Scanner<'a>,
    open: bool,
    first: bool,
}

/// What stands where an item of an array, or its end, has to be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the array is not JSON from here on: {error}")]
pub struct BrokenArray<'a> {
    /// All that is left of the text.
    pub rest: &'a str,
    /// What is wrong with it.
    pub error: InvalidJson,
}

impl<'a> Iterator for Items<'a> {
    type Item = Result<&'a str, BrokenArray<'a>>;

    fn next(&mut self) -> Option<Self::Item> {
        if !self.open {
            return None;
        }
        let rest = &self.text[self.scanner.position()..];
        let item = self.advance().transpose()?;
        self.open &= item.is_ok();
        Some(item.map_err(|error| BrokenArray { rest, error }))
    }
}

impl<'a> Items<'a> {
    /// The next item; nothing at the end, behind which there must be nothing.
    fn advance(&mut self) -> Result<Option<&'a str>, InvalidJson> {
        if self.scanner.eat(b']') {
            self.open = false;
            return self.scanner.end().map(|()| None);
        }
        if !std::mem::take(&mut self.first) {
            self.scanner.expect(b',', "expected a comma or the end of the array")?;
        }
        self.scanner.value().map(Some)
    }
}
