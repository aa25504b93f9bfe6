//! SQL text for three dialects.

/// The SQL of a kind of server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    Postgres,
    MySql,
    Sqlite,
}

/// A value that is bound to a statement, never written into it.
#[derive(Clone, Debug)]
pub(super) enum Value {
    Text(Option<String>),
    Number(i64),
}

/// A statement in the making: text with placeholders, and the values for them.
#[derive(Debug)]
pub(super) struct Statement {
    pub(super) dialect: Dialect,
    pub(super) sql: String,
    pub(super) values: Vec<Value>,
    /// Whether the connection keeps it prepared for the next time.
    pub(super) reused: bool,
}

impl Dialect {
    /// The value of an expression as text.
    pub(super) fn text(self, expression: &str) -> String {
        match self {
            Self::MySql => format!("CAST({expression} AS CHAR)"),
            Self::Postgres | Self::Sqlite => format!("CAST({expression} AS TEXT)"),
        }
    }

    /// A column that equals only what it equals to the byte. MySQL compares by the collation of the column, for which
    /// case, accents and trailing spaces may make no difference; its character set need not be the connection's.
    pub(super) fn exact(self, column: &str) -> String {
        match self {
            Self::MySql => format!("CAST(CONVERT({column} USING utf8mb4) AS BINARY)"),
            Self::Postgres | Self::Sqlite => column.into(),
        }
    }

    /// Whether two rows, given by their aliases, belong to one trace. The index on `base_id` serves it; on MySQL it
    /// finds more than that.
    pub(super) fn same_trace(self, one: &str, other: &str) -> String {
        let (one, other) = (format!("{one}.base_id"), format!("{other}.base_id"));
        match self {
            Self::MySql => format!("{one} = {other} AND {} = {}", self.exact(&one), self.exact(&other)),
            Self::Postgres | Self::Sqlite => format!("{one} = {other}"),
        }
    }
}

impl Statement {
    /// One that is run seldom, and planned for its values each time.
    pub(super) fn new(dialect: Dialect, sql: &str) -> Self {
        Self { dialect, sql: sql.into(), values: Vec::new(), reused: false }
    }

    /// The same, kept prepared.
    pub(super) fn reused(self) -> Self {
        Self { reused: true, ..self }
    }

    /// Appends SQL.
    pub(super) fn push(mut self, sql: &str) -> Self {
        self.sql.push_str(sql);
        self
    }

    /// Appends a placeholder for a value.
    pub(super) fn bind(mut self, value: impl Into<Value>) -> Self {
        self.values.push(value.into());
        match self.dialect {
            Dialect::Postgres => self.sql.push_str(&format!("${}", self.values.len())),
            Dialect::MySql | Dialect::Sqlite => self.sql.push('?'),
        }
        self
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(Some(text))
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(Some(text.into()))
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_dialect_gets_its_placeholders() {
        let statement =
            |dialect| Statement::new(dialect, "a = ").bind("x").push(" AND b = ").bind(1).push(";").sql;
        assert_eq!(statement(Dialect::Postgres), "a = $1 AND b = $2;");
        assert_eq!(statement(Dialect::MySql), "a = ? AND b = ?;");
        assert_eq!(statement(Dialect::Sqlite), "a = ? AND b = ?;");
    }
}
