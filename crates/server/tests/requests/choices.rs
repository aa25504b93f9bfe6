//! Choices made by bytes: those of a fuzzer, or random ones.

/// Bytes that are used up by choices. When there are none left, every choice is the first.
#[derive(Clone, Debug)]
pub(crate) struct Choices<'a>(&'a [u8]);

impl<'a> Choices<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// Whether no byte is left.
    pub(crate) fn are_over(&self) -> bool {
        self.0.is_empty()
    }

    fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    /// A number below this one, which is 256 at most.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        usize::from(self.byte()) % end
    }

    /// One of these.
    pub(crate) fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }

    /// So many bytes, of which there may be fewer.
    pub(crate) fn bytes(&mut self, count: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(count.min(self.0.len()));
        self.0 = rest;
        taken
    }

    /// Any text that is not long.
    pub(crate) fn text(&mut self) -> String {
        let length = self.below(24);
        String::from_utf8_lossy(self.bytes(length)).into_owned()
    }

    /// A double, of any kind.
    pub(crate) fn number(&mut self) -> f64 {
        let usual = [0.0, -1.0, 0.5, 60.0, 1e9, 1.6e9, 1e19, 5e-324, 1e308, -0.0];
        match self.below(12) {
            kind @ 0..10 => usual[kind],
            10 => self.below(256) as f64,
            _ => {
                let mut bytes = [0; 8];
                let taken = self.bytes(8);
                bytes[..taken.len()].copy_from_slice(taken);
                Some(f64::from_le_bytes(bytes)).filter(|number| number.is_finite()).unwrap_or(7.0)
            }
        }
    }
}
