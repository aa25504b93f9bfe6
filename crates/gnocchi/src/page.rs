//! Which part of a long list is asked for.

/// A part of a list. The default is all, in the order that the list has of its own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// At most so many.
    pub limit: Option<usize>,
    /// Those behind this one: a UUID, or of a history `UUID@revision`.
    pub marker: Option<String>,
    /// In this order.
    pub sort: Vec<Sort>,
}

/// One key of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sort {
    /// The attribute.
    pub key: String,
    /// Which way.
    pub direction: Direction,
    /// Where those without a value stand; as the direction has it, where nothing is said: last when ascending.
    pub nulls: Option<Nulls>,
}

/// Which way an order goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Direction {
    /// The least first.
    #[default]
    Ascending,
    /// The greatest first.
    Descending,
}

/// Where those without a value stand in an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nulls {
    /// Before all others.
    First,
    /// Behind all others.
    Last,
}
