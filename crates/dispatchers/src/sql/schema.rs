//! The tables, and how each dialect has them.

use nephoscope_sql::Dialect;

/// The version of what is described here, remembered in the database.
pub(super) const VERSION: i64 = 1;

/// How many characters a [`Kind::Name`] has. SQLite does not enforce it.
pub(super) const WIDTH: usize = 255;

/// A table.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) name: &'static str,
    /// Whether rows are numbered in the order of arrival, in a column `id` before all others.
    numbered: bool,
    /// The columns that are written, in the order of a row's values.
    pub(super) columns: &'static [Column],
    /// What else is true of it.
    constraints: &'static [&'static str],
    indexes: &'static [Index],
}

/// A column.
#[derive(Debug)]
pub(super) struct Column {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    may_be_null: bool,
}

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A text of at most [`WIDTH`] characters.
    Name,
    Text,
    Integer,
    Float,
    Time,
    Json,
}

/// An index, so that a question of operators is not answered by reading the whole table.
#[derive(Debug)]
struct Index {
    name: &'static str,
    columns: &'static str,
    /// A column without which a row is left out, where the dialect can.
    only_with: Option<&'static str>,
}

const fn column(name: &'static str, kind: Kind) -> Column {
    Column { name, kind, may_be_null: false }
}

const fn nullable(name: &'static str, kind: Kind) -> Column {
    Column { name, kind, may_be_null: true }
}

const fn index(name: &'static str, columns: &'static str) -> Index {
    Index { name, columns, only_with: None }
}

/// Of traits, of which most have no value of any one type.
const fn of_values(name: &'static str, columns: &'static str, value: &'static str) -> Index {
    Index { name, columns, only_with: Some(value) }
}

pub(super) static SAMPLES: Table = Table {
    name: "samples",
    numbered: true,
    columns: &[
        column("message_id", Kind::Name),
        column("meter", Kind::Name),
        column("type", Kind::Name),
        column("unit", Kind::Name),
        nullable("volume", Kind::Float),
        column("resource_id", Kind::Name),
        nullable("project_id", Kind::Name),
        nullable("project_name", Kind::Name),
        nullable("user_id", Kind::Name),
        nullable("user_name", Kind::Name),
        nullable("source", Kind::Name),
        column("timestamp", Kind::Time),
        column("metadata", Kind::Json),
    ],
    constraints: &["UNIQUE (message_id)"],
    indexes: &[
        index("samples_by_resource", "resource_id, meter, timestamp"),
        index("samples_by_project", "project_id, timestamp"),
        index("samples_by_time", "timestamp"),
    ],
};

pub(super) static EVENTS: Table = Table {
    name: "events",
    numbered: true,
    columns: &[
        column("message_id", Kind::Name),
        column("event_type", Kind::Name),
        // `generated`, as Ceilometer calls it, is a reserved word of MySQL.
        column("generated_at", Kind::Time),
        column("raw", Kind::Json),
    ],
    constraints: &["UNIQUE (message_id)"],
    indexes: &[index("events_by_type", "event_type, generated_at"), index("events_by_time", "generated_at")],
};

pub(super) static TRAITS: Table = Table {
    name: "traits",
    numbered: false,
    columns: &[
        column("message_id", Kind::Name),
        // Its place among those of its event.
        column("position", Kind::Integer),
        column("name", Kind::Name),
        column("type", Kind::Name),
        nullable("text_value", Kind::Name),
        // What is too long for an index, of PostgreSQL above all.
        nullable("long_text_value", Kind::Text),
        nullable("int_value", Kind::Integer),
        nullable("float_value", Kind::Float),
        nullable("time_value", Kind::Time),
    ],
    constraints: &[
        "PRIMARY KEY (message_id, position)",
        "FOREIGN KEY (message_id) REFERENCES events (message_id) ON DELETE CASCADE",
    ],
    indexes: &[
        of_values("traits_by_text", "name, text_value", "text_value"),
        of_values("traits_by_int", "name, int_value", "int_value"),
        of_values("traits_by_float", "name, float_value", "float_value"),
        of_values("traits_by_time", "name, time_value", "time_value"),
    ],
};

/// All of them, in the order in which they can be made.
pub(super) static TABLES: [&Table; 3] = [&SAMPLES, &EVENTS, &TRAITS];

/// Remembers [`VERSION`].
pub(super) const VERSIONS: &str =
    "CREATE TABLE IF NOT EXISTS nephoscope_schema (version BIGINT NOT NULL PRIMARY KEY)";

impl Table {
    /// The names of the columns that are written, with commas between.
    pub(super) fn column_names(&self) -> String {
        self.columns.iter().map(|column| column.name).collect::<Vec<_>>().join(", ")
    }

    /// The statements that make it, unless it is there.
    pub(super) fn definition(&self, dialect: Dialect) -> Vec<String> {
        let mut parts: Vec<String> = Vec::new();
        parts.extend(self.numbered.then(|| numbers(dialect).to_owned()));
        parts.extend(self.columns.iter().map(|column| column.definition(dialect)));
        parts.extend(self.constraints.iter().map(|&constraint| constraint.to_owned()));
        // MySQL commits after each such statement: only as part of the table are the indexes there with it.
        let inline = dialect == Dialect::MySql;
        if inline {
            parts.extend(self.indexes.iter().map(|index| format!("KEY {} ({})", index.name, index.columns)));
        }
        let options = if inline { MYSQL_OPTIONS } else { "" };
        let table = format!("CREATE TABLE IF NOT EXISTS {} ({}){options}", self.name, parts.join(", "));
        let indexes = self.indexes.iter().filter(|_| !inline).map(|index| index.definition(self.name));
        std::iter::once(table).chain(indexes).collect()
    }
}

/// Transactions, all of Unicode, and texts equal only to themselves.
const MYSQL_OPTIONS: &str = " ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin";

fn numbers(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Postgres => "id BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY",
        Dialect::MySql => "id BIGINT AUTO_INCREMENT PRIMARY KEY",
        Dialect::Sqlite => "id INTEGER PRIMARY KEY",
    }
}

impl Column {
    fn definition(&self, dialect: Dialect) -> String {
        let Self { name, kind, may_be_null } = self;
        let mut text = format!("{name} {}", kind.definition(dialect));
        if !may_be_null {
            text.push_str(" NOT NULL");
        }
        // There it is text, which its functions would fail to read.
        if (*kind, dialect) == (Kind::Json, Dialect::Sqlite) {
            text.push_str(&format!(" CHECK (json_valid({name}))"));
        }
        text
    }
}

impl Kind {
    fn definition(self, dialect: Dialect) -> &'static str {
        match (self, dialect) {
            (Self::Name, Dialect::Postgres | Dialect::MySql) => "VARCHAR(255)",
            (Self::Text, Dialect::MySql) => "LONGTEXT",
            (Self::Text, Dialect::Postgres) => "TEXT",
            (Self::Integer, Dialect::Postgres | Dialect::MySql) => "BIGINT",
            (Self::Integer, Dialect::Sqlite) => "INTEGER",
            (Self::Float, Dialect::Postgres) => "DOUBLE PRECISION",
            (Self::Float, Dialect::MySql) => "DOUBLE",
            (Self::Float, Dialect::Sqlite) => "REAL",
            (Self::Time, Dialect::Postgres) => "TIMESTAMPTZ",
            (Self::Time, Dialect::MySql) => "DATETIME(6)",
            (Self::Json, Dialect::Postgres) => "JSONB",
            (Self::Json, Dialect::MySql) => "JSON",
            (Self::Name | Self::Text | Self::Time | Self::Json, Dialect::Sqlite) => "TEXT",
        }
    }

    /// What the text of a parameter has to be made, where the dialect does not do so by itself.
    pub(super) fn cast(self, dialect: Dialect) -> Option<&'static str> {
        match (self, dialect) {
            (Self::Time | Self::Json, Dialect::Postgres) => Some(self.definition(dialect)),
            _ => None,
        }
    }
}

impl Index {
    fn definition(&self, table: &str) -> String {
        let Self { name, columns, only_with } = self;
        let condition = only_with.map(|column| format!(" WHERE {column} IS NOT NULL")).unwrap_or_default();
        format!("CREATE INDEX IF NOT EXISTS {name} ON {table} ({columns}){condition}")
    }
}
