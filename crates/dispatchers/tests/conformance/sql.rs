//! `sqlite://`, `postgresql://` and `mysql://`

use std::sync::Arc;

use nephoscope_sql::{Config, Database, FromAnyRow};
use nephoscope_telemetry::{BoxFuture, ConnectionString, Dispatcher, Event, Json, Result, Timestamp, Trait};
use nephoscope_testkit::Excuse;
use nephoscope_testkit::dispatchers::{Arrived, Place, Subject};
use nephoscope_testkit::server::{MariadbServer, Missing, PostgresServer, Server};
use serde_json::Value;

use super::{Home, excuse};

/// A kind of database.
#[derive(Clone, Copy)]
pub(super) enum Sql {
    Sqlite,
    Postgres,
    Mysql,
}

/// A database, for which connecting is tried for a second: the default would make the suite slow.
struct Tables {
    kind: Sql,
    home: Home,
    url: String,
    server: Option<Box<dyn ServerOfTables>>,
}

trait ServerOfTables: Server + Sync {}
impl<S: Server + Sync> ServerOfTables for S {}

impl Subject for Sql {
    fn name(&self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgresql",
            Self::Mysql => "mysql",
        }
    }

    fn place(&self) -> std::result::Result<Box<dyn Place>, Missing> {
        let home = Home::new();
        let (url, server): (_, Option<Box<dyn ServerOfTables>>) = match self {
            Self::Sqlite => (format!("sqlite:///{}", home.directory.path().join("x.db").display()), None),
            Self::Postgres => {
                let server = PostgresServer::start()?;
                (server.url() + "?connect_timeout=1", Some(Box::new(server)))
            }
            Self::Mysql => {
                let server = MariadbServer::start()?;
                (server.url() + "?connect_timeout=1", Some(Box::new(server)))
            }
        };
        Ok(Box::new(Tables { kind: *self, home, url, server }))
    }

    fn excuses(&self) -> &'static [Excuse] {
        const NO_PASSWORD: &str = "it has no password";
        const NO_SERVER: &str = "it has no server";
        match self {
            Self::Sqlite => {
                const {
                    &[
                        excuse(
                            "a_place_that_is_away_is_unavailable_and_takes_all_when_it_is_back",
                            NO_SERVER,
                        ),
                        excuse("a_place_may_be_away_when_the_dispatcher_is_made", NO_SERVER),
                        excuse("a_dispatcher_does_not_show_its_secrets", NO_PASSWORD),
                        excuse("a_wrong_password_is_a_mistake_in_the_connection_string", NO_PASSWORD),
                    ]
                }
            }
            Self::Postgres | Self::Mysql => &[],
        }
    }
}

impl Tables {
    /// The rows of a query; none before the tables are there.
    async fn ask<T: FromAnyRow>(&self, query: &str) -> Vec<T> {
        let to = ConnectionString::parse(&self.url).expect("it is one");
        let database =
            Database::open(Config::read(&to, &[]).expect("it is sound")).await.expect("it is there");
        let rows = database.fetch(database.statement(query)).await;
        database.close().await;
        match rows {
            Err(error) if nephoscope_sql::misses_table(&error) => Vec::new(),
            rows => rows.expect("it can be asked"),
        }
    }

    /// A column of times as text that can be read again.
    fn time(&self, column: &str) -> String {
        match self.kind {
            Sql::Sqlite => column.to_owned(),
            Sql::Postgres => format!("to_char({column} AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')"),
            Sql::Mysql => format!("CAST({column} AS CHAR)"),
        }
    }
}

fn parse(time: &str) -> Timestamp {
    Timestamp::parse(time).expect("a database holds times")
}

type Stored = (String, String, Option<String>, Option<String>, String, Option<f64>);
type StoredTrait = (String, String, Option<String>, Option<i64>, Option<f64>, Option<String>);

impl Place for Tables {
    fn url(&self) -> String {
        self.url.clone()
    }

    fn connect<'a>(&'a self, to: &'a ConnectionString) -> BoxFuture<'a, Result<Arc<dyn Dispatcher>>> {
        Box::pin(self.home.connect(to))
    }

    fn samples(&self) -> BoxFuture<'_, Vec<Arrived>> {
        let time = self.time("timestamp");
        Box::pin(async move {
            let query = format!(
                "SELECT meter, resource_id, project_id, user_id, {time}, volume FROM samples ORDER BY id"
            );
            let arrived = |(meter, resource_id, project_id, user_id, time, volume): Stored| {
                let millis = parse(&time).as_micros().div_euclid(1000);
                Some(Arrived { meter, resource_id, project_id, user_id, millis, value: volume? })
            };
            self.ask(&query).await.into_iter().filter_map(arrived).collect()
        })
    }

    fn events(&self) -> BoxFuture<'_, Vec<Event>> {
        let (generated, time) = (self.time("generated_at"), self.time("time_value"));
        Box::pin(async move {
            let query = format!("SELECT message_id, event_type, {generated} FROM events");
            let mut events = Vec::new();
            for (id, event_type, generated) in self.ask::<(String, String, String)>(&query).await {
                events.push(Event {
                    message_id: id.into(),
                    event_type: event_type.into(),
                    generated: parse(&generated).to_string().into(),
                    traits: Vec::new(),
                    raw: Json::empty_object(),
                    extra: Vec::new(),
                });
            }
            let query = format!(
                "SELECT message_id, name, text_value, int_value, float_value, {time} FROM traits ORDER BY position"
            );
            for (id, name, text, int, float, time) in self.ask::<StoredTrait>(&query).await {
                let event = events.iter_mut().find(|event| event.message_id == id);
                let seconds = |time: String| parse(&time).to_string().replace(".000000", "");
                let (kind, value) = match (text, int, float, time) {
                    (Some(text), ..) => {
                        (1, Json::parse(&Value::from(text).to_string()).expect("it is a text"))
                    }
                    (_, Some(int), ..) => (2, Json::parse(&int.to_string()).expect("it is a number")),
                    (_, _, Some(float), _) => (3, Json::parse(&float.to_string()).expect("it is a number")),
                    (.., time) => (4, Json::string(&seconds(time.expect("a trait has a value")))),
                };
                let event = event.expect("a trait is of an event");
                event.traits.push(Trait { name: name.into(), kind, value });
            }
            events
        })
    }

    fn server(&mut self) -> Option<&mut dyn Server> {
        match &mut self.server {
            Some(server) => Some(&mut **server),
            None => None,
        }
    }
}
