//! The items of an array.

use super::{InvalidJson, Scanner};

/// The items of an array, in order; nothing when the text is no array.
pub fn items(array: &str) -> Items<'_> {
    let mut scanner = Scanner::new(array);
    let open = scanner.eat(b'[');
    Items { scanner, open, first: true, is_all: true }
}

/// As [`items`], of the array that is next. What comes behind it is not looked at.
pub fn items_at(mut scanner: Scanner<'_>) -> Items<'_> {
    let open = scanner.eat(b'[');
    Items { scanner, open, first: true, is_all: false }
}

/// The iterator of [`items`]. What is no array any more is its last item: behind broken JSON nothing can be found.
#[derive(Debug)]
pub struct Items<'a> {
    scanner: Scanner<'a>,
    open: bool,
    first: bool,
    /// Whether there may be nothing behind the array.
    is_all: bool,
}

/// The text of an item, and what was made of it.
pub type Passed<'a, T, E> = (&'a str, Result<T, E>);

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
        Some(self.next_by(Scanner::value)?.map(|(item, _)| item))
    }
}

impl<'a> Items<'a> {
    /// Behind the array, once it has ended.
    pub fn behind(self) -> Scanner<'a> {
        self.scanner
    }

    /// The next item, and what `read` makes of it in passing it. Should it fail, the item is passed all the same.
    pub fn next_by<T, E>(
        &mut self,
        read: impl FnOnce(&mut Scanner<'a>) -> Result<T, E>,
    ) -> Option<Result<Passed<'a, T, E>, BrokenArray<'a>>> {
        if !self.open {
            return None;
        }
        let rest = self.scanner.rest();
        let item = self.advance(read).transpose()?;
        self.open &= item.is_ok();
        Some(item.map_err(|error| BrokenArray { rest, error }))
    }

    /// The next item; nothing at the end, behind which there must be nothing.
    fn advance<T, E>(
        &mut self,
        read: impl FnOnce(&mut Scanner<'a>) -> Result<T, E>,
    ) -> Result<Option<Passed<'a, T, E>>, InvalidJson> {
        if self.scanner.eat(b']') {
            self.open = false;
            return if self.is_all { self.scanner.end().map(|()| None) } else { Ok(None) };
        }
        if !std::mem::take(&mut self.first) {
            self.scanner.expect(b',', "expected a comma or the end of the array")?;
        }
        self.scanner.peek();
        let (item, mut ahead) = (self.scanner.rest(), self.scanner.clone());
        let read = read(&mut ahead);
        match read {
            Ok(_) => self.scanner = ahead,
            Err(_) => drop(self.scanner.value()?),
        }
        let length = item.len() - self.scanner.rest().len();
        Ok(Some((&item[..length], read)))
    }
}
