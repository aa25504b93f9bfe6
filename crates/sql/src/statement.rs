//! SQL text for three dialects.

/// The SQL of a kind of server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// PostgreSQL's.
    Postgres,
    /// That of MySQL and MariaDB.
    MySql,
    /// SQLite's.
    Sqlite,
}

/// A value that is bound to a statement, never written into it.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A text, or NULL.
    Text(Option<String>),
    /// An integer, or NULL.
    Number(Option<i64>),
    /// A floating-point number, or NULL.
    Float(Option<f64>),
}

/// A statement in the making: text with placeholders, and the values for them.
#[derive(Debug)]
pub struct Statement {
    /// What it is written in.
    pub dialect: Dialect,
    /// Its text.
    pub sql: String,
    /// What its placeholders stand for, in their order.
    pub values: Vec<Value>,
    /// Whether the connection keeps it prepared for the next time.
    pub reused: bool,
}

impl Dialect {
    /// The value of an expression as text.
    pub fn text(self, expression: &str) -> String {
        match self {
            Self::MySql => format!("CAST({expression} AS CHAR)"),
            Self::Postgres | Self::Sqlite => format!("CAST({expression} AS TEXT)"),
        }
    }

    /// A column that equals only what it equals to the byte. MySQL compares by the collation of the column, for which
    /// case, accents and trailing spaces may make no difference; its character set need not be the connection's.
    pub fn exact(self, column: &str) -> String {
        match self {
            Self::MySql => format!("CAST(CONVERT({column} USING utf8mb4) AS BINARY)"),
            Self::Postgres | Self::Sqlite => column.into(),
        }
    }
}

impl Statement {
    /// One that is run seldom, and planned for its values each time.
    pub fn new(dialect: Dialect, sql: &str) -> Self {
        Self { dialect, sql: sql.into(), values: Vec::new(), reused: false }
    }

    /// The same, kept prepared.
    #[must_use]
    pub fn reused(self) -> Self {
        Self { reused: true, ..self }
    }

    /// Appends SQL.
    #[must_use]
    pub fn push(mut self, sql: &str) -> Self {
        self.sql.push_str(sql);
        self
    }

    /// Appends a placeholder for a value.
    #[must_use]
    pub fn bind(mut self, value: impl Into<Value>) -> Self {
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
        Self::Number(Some(number))
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
