//! Projects by their names.

use nephoscope_http::StatusCode;
use nephoscope_telemetry::Result;
use serde::Deserialize;

use crate::Keystone;

/// What is asked for: a project or a domain.
#[derive(Clone, Copy)]
struct Kind {
    operation: &'static str,
    /// Where all of them are.
    path: &'static str,
}

const DOMAIN: Kind = Kind { operation: "find a domain", path: "/domains" };
const PROJECT: Kind = Kind { operation: "find a project", path: "/projects" };

#[derive(Deserialize)]
struct List {
    #[serde(rename = "projects", alias = "domains")]
    all: Vec<Thing>,
}

#[derive(Deserialize)]
struct One {
    #[serde(rename = "project", alias = "domain")]
    thing: Thing,
}

#[derive(Deserialize)]
struct Thing {
    id: String,
    name: String,
}

impl Keystone {
    /// The id of the project with this name in the domain with that one; nothing where there is none. An id will do for
    /// either name.
    ///
    /// We have to be somebody who may ask: an administrator, or a `reader` of the whole system.
    pub async fn project_id(&self, project: &str, domain: &str) -> Result<Option<String>> {
        let Some(domain) = self.find(DOMAIN, domain, None).await? else { return Ok(None) };
        self.find(PROJECT, project, Some(&domain)).await
    }

    async fn find(&self, kind: Kind, wanted: &str, domain: Option<&str>) -> Result<Option<String>> {
        let by_name = || {
            let question = self.http.get(kind.operation, kind.path).query("name", wanted);
            domain.into_iter().fold(question, |question, domain| question.query("domain_id", domain))
        };
        let List { all } = self.send(by_name).await?.whole().await?.json()?;
        // Databases differ in whether `Service` is `service`; here it is not.
        if let Some(found) = all.into_iter().find(|thing| thing.name == wanted) {
            return Ok(Some(found.id));
        }
        if !may_be_id(wanted) {
            return Ok(None);
        }
        let path = format!("{}/{wanted}", kind.path);
        let by_id = || self.http.get(kind.operation, &path).accept(&[404]);
        let answer = self.send(by_id).await?;
        if answer.status() == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        let One { thing } = answer.whole().await?.json()?;
        Ok(Some(thing.id))
    }
}

/// Whether Keystone could have made an id of this text, which then needs no encoding in a path.
fn may_be_id(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}
